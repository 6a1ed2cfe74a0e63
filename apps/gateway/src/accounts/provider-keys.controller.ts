import { Bus } from '#lib/bus';
import {
  AccountProviderKey,
  deleteAccountProviderKey,
  listAccountProviderKeys,
  NewAccountProviderKey,
  Provider,
  RoostError,
  setAccountProviderKey,
} from '#lib/contracts';
import { Controller, Delete, Get, Post } from '@nestjs/common';
import { z } from 'zod';
import { Body, Param } from '../http/arguments.js';
import { Endpoint, Tag } from '../http/endpoint.js';

const ProviderParams = z.object({ provider: z.string().describe('The provider: `anthropic`, `openai` or `google`.') });
type ProviderParams = z.output<typeof ProviderParams>;

/** spec: 00-overview, "Provider keys": what agents without a key of their own use. Kept sealed by agent-lifecycle. */
@Tag('Accounts')
@Controller('auth/provider_keys')
export class ProviderKeysController {
  constructor(private readonly bus: Bus) {}

  @Post()
  @Endpoint({
    access: 'signed-in',
    summary: 'Keep a provider’s key for the account, in place of the one before; it is never shown again',
    description: 'Agents without a key of their own use it from their next turn.',
    responseDescription: 'The key is kept.',
    response: AccountProviderKey,
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  set(@Body(NewAccountProviderKey) body: NewAccountProviderKey) {
    return this.bus.request(setAccountProviderKey, body);
  }

  @Get()
  @Endpoint({
    access: 'signed-in',
    summary: 'List the providers whose keys the account keeps',
    description: 'Never the keys.',
    responseDescription: 'The providers.',
    response: listAccountProviderKeys.output,
  })
  list() {
    return this.bus.request(listAccountProviderKeys, {});
  }

  @Delete(':provider')
  @Endpoint({
    access: 'signed-in',
    summary: 'Forget a provider’s key',
    description: 'Agents that used it go on with the platform’s key, if there is one.',
    responseDescription: 'It is forgotten.',
    response: deleteAccountProviderKey.output,
    errors: ['NOT_FOUND'],
  })
  delete(@Param(ProviderParams) { provider }: ProviderParams) {
    const known = Provider.safeParse(provider);
    if (!known.success) throw new RoostError('NOT_FOUND', 'the account has no key of this provider');
    return this.bus.request(deleteAccountProviderKey, { provider: known.data });
  }
}
