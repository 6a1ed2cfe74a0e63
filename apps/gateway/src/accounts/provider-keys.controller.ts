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
import { Controller } from '@nestjs/common';
import { z } from 'zod';
import { type Call, Endpoint } from '../http/endpoint.js';

const common = { access: 'signed-in', tag: 'Accounts' } as const;
const ProviderParams = z.object({ provider: z.string() });

/** spec: 00-overview, "Provider keys": what agents without a key of their own use. Kept sealed by agent-lifecycle. */
@Controller('auth/provider_keys')
export class ProviderKeysController {
  constructor(private readonly bus: Bus) {}

  @Endpoint({
    ...common,
    method: 'POST',
    path: '',
    summary: 'Keep a provider’s key for the account, in place of the one before; it is never shown again',
    body: NewAccountProviderKey,
    response: AccountProviderKey,
    status: 201,
    errors: ['QUOTA_EXCEEDED'],
  })
  set({ body }: Call<unknown, unknown, z.output<typeof NewAccountProviderKey>>) {
    return this.bus.request(setAccountProviderKey, body);
  }

  @Endpoint({
    ...common,
    method: 'GET',
    path: '',
    summary: 'List the providers whose keys the account keeps',
    response: listAccountProviderKeys.output,
  })
  list() {
    return this.bus.request(listAccountProviderKeys, {});
  }

  @Endpoint({
    ...common,
    method: 'DELETE',
    path: ':provider',
    summary: 'Forget a provider’s key',
    params: ProviderParams,
    response: deleteAccountProviderKey.output,
    errors: ['NOT_FOUND'],
  })
  delete({ params }: Call<z.output<typeof ProviderParams>>) {
    const provider = Provider.safeParse(params.provider);
    if (!provider.success) throw new RoostError('NOT_FOUND', 'the account has no key of this provider');
    return this.bus.request(deleteAccountProviderKey, { provider: provider.data });
  }
}
