import { recordAudit } from '#lib/audit';
import { Sealer } from '#lib/auth';
import { type Provider, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { AccountLimits, requireQuota } from '#lib/quotas';
import { Injectable } from '@nestjs/common';
import {
  countOtherProviderKeys,
  deleteProviderKeyRow,
  findSealedKeys,
  listProviderKeys,
  setProviderKey,
  type ProviderKeyRow,
  type SealedKeys,
} from './provider-keys.repository.js';

type OpenKeys = Partial<Record<Provider, string>>;

const sealContext = (accountId: string, provider: string) => `account_provider_keys:${accountId}:${provider}`;
const masked = (row: ProviderKeyRow) => ({ ...row, apiKey: '***' as const });

/** An account's keys of model providers: what its agents use that bring none. Sealed at rest, shown to nobody. */
@Injectable()
export class ProviderKeysService {
  constructor(
    private readonly database: Database,
    private readonly sealer: Sealer,
    private readonly limits: AccountLimits,
  ) {}

  /** Errors: QUOTA_EXCEEDED for one more; replacing one needs no quota. */
  async set(accountId: string, provider: Provider, apiKey: string) {
    const limit = await this.limits.of(accountId, 'provider_keys');
    return this.database.transaction(async (tx) => {
      const count = () => countOtherProviderKeys(tx, accountId, provider);
      await requireQuota(tx, { accountId, quota: 'provider_keys', limit, count });
      const sealedKey = this.sealer.seal(apiKey, sealContext(accountId, provider));
      await recordAudit(tx, { action: 'provider_key.set', target: { type: 'provider_key', id: provider } });
      return masked(await setProviderKey(tx, accountId, provider, sealedKey));
    });
  }

  async list(accountId: string) {
    return (await listProviderKeys(this.database, accountId)).map(masked);
  }

  /** Errors: NOT_FOUND. */
  async delete(accountId: string, provider: Provider): Promise<void> {
    await this.database.transaction(async (tx) => {
      if (!(await deleteProviderKeyRow(tx, accountId, provider)))
        throw new RoostError('NOT_FOUND', 'the account has no key of this provider');
      await recordAudit(tx, { action: 'provider_key.deleted', target: { type: 'provider_key', id: provider } });
    });
  }

  /** The account's keys in the clear, for a turn; `sealed` where they were read already. */
  async open(accountId: string, sealed?: SealedKeys): Promise<OpenKeys> {
    const keys = sealed ?? (await findSealedKeys(this.database, accountId));
    return Object.fromEntries(
      Object.entries(keys).map(([provider, key]) => [
        provider,
        this.sealer.open(key, sealContext(accountId, provider)),
      ]),
    );
  }
}
