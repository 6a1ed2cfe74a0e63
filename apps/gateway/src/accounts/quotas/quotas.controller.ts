import { AccountQuota, wire } from '#lib/contracts';
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../../http/endpoint.js';
import { AccountQuotas } from './account-quotas.js';

/** docs/limits.md */
@Controller('v1/account/quotas')
export class QuotasController {
  constructor(private readonly quotas: AccountQuotas) {}

  @Endpoint({
    method: 'GET',
    path: '',
    access: 'signed-in',
    tag: 'Accounts',
    summary: 'Every quota of the account with its limit and use',
    response: wire({ quotas: z.array(AccountQuota) }),
  })
  async list({ accountId }: Call) {
    return { quotas: await this.quotas.report(accountId) };
  }
}
