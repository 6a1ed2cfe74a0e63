import { AccountQuota, wire } from '#lib/contracts';
import { Controller, Get } from '@nestjs/common';
import { z } from 'zod';
import type { Identity } from '../identity.js';
import { Caller } from '../../http/arguments.js';
import { Endpoint, Tag } from '../../http/endpoint.js';
import { AccountQuotas } from './account-quotas.js';

/** docs/limits.md */
@Tag('Accounts')
@Controller('v1/account/quotas')
export class QuotasController {
  constructor(private readonly quotas: AccountQuotas) {}

  @Get()
  @Endpoint({
    access: 'signed-in',
    summary: 'Every quota of the account with its limit and use',
    description: 'Over a limit, making more is 403 `QUOTA_EXCEEDED`. The operator can set other limits for an account.',
    responseDescription: 'The quotas.',
    response: wire({ quotas: z.array(AccountQuota).describe('One per thing that is counted.') }),
  })
  async list(@Caller() { accountId }: Identity) {
    return { quotas: await this.quotas.report(accountId) };
  }
}
