import { Sealer } from '#lib/auth';
import { accountOf, type CallContext, Handles } from '#lib/bus';
import {
  deleteAccountProviderKey,
  listAccountProviderKeys,
  openAccountProviderKeys,
  type Provider,
  RoostError,
  setAccountProviderKey,
} from '#lib/contracts';
import { Database } from '#lib/database';
import { AccountLimits } from '#lib/quotas';
import { Controller } from '@nestjs/common';
import { deleteKey, findKeys, listKeys, openKeys, setKey } from './account-provider-keys.js';

/** An account's keys of model providers: what its agents use that bring none. */
@Controller()
export class ProviderKeysController {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    private readonly limits: AccountLimits,
  ) {}

  @Handles(setAccountProviderKey)
  async set({ provider, apiKey }: { provider: Provider; apiKey: string }, context: CallContext) {
    const accountId = accountOf(context);
    const limit = await this.limits.of(accountId, 'provider_keys');
    return this.database.transaction((tx) => setKey(tx, this.sealer, { accountId, provider, apiKey, limit }));
  }

  @Handles(listAccountProviderKeys)
  async list(_: object, context: CallContext) {
    return { providerKeys: await listKeys(this.database, accountOf(context)) };
  }

  @Handles(openAccountProviderKeys)
  async open({ accountId }: { accountId: string }, context: CallContext) {
    if (context.accountId) throw new RoostError('ACCESS_DENIED', 'provider keys are for the brain alone');
    const sealed = await findKeys(this.database, accountId);
    return { providerKeys: openKeys(this.sealer, accountId, sealed) };
  }

  @Handles(deleteAccountProviderKey)
  async delete({ provider }: { provider: Provider }, context: CallContext) {
    await deleteKey(this.database, accountOf(context), provider);
    return { message: 'the key is deleted', provider };
  }
}
