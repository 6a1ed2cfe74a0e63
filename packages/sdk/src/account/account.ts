import { type Core, dataOf, idOf } from '../core.js';
import {
  accountsFetchUser,
  auditList,
  platformKeysCreate,
  platformKeysList,
  platformKeysRevoke,
  providerKeysDelete,
  providerKeysList,
  providerKeysSet,
  quotasList,
} from '../generated/sdk.gen.js';
import type {
  AccountsFetchUserResponses,
  AuditListData,
  AuditListResponses,
  PlatformKeysCreateData,
  PlatformKeysCreateResponses,
  PlatformKeysListResponses,
  ProviderKeysListResponses,
  ProviderKeysSetData,
  QuotasListResponses,
} from '../generated/types.gen.js';
import { Listing } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';

export type Quota = QuotasListResponses[200]['quotas'][number];
export type AuditRecord = AuditListResponses[200]['records'][number];
export type AuditQuery = Omit<NonNullable<AuditListData['query']>, 'cursor' | 'limit'>;
export type User = AccountsFetchUserResponses[200];

/** Whose key this is, what it may pile up, and its keys. */
export class Account {
  readonly keys: ApiKeys;
  readonly providerKeys: ProviderKeys;

  constructor(private readonly core: Core) {
    this.keys = new ApiKeys(core);
    this.providerKeys = new ProviderKeys(core);
  }

  user(options?: CallOptions): Promise<User> {
    return dataOf(accountsFetchUser({ ...this.core.by(options) }));
  }

  /** What the account may have of each thing, and has. */
  async quotas(options?: CallOptions): Promise<Quota[]> {
    return (await dataOf(quotasList({ ...this.core.by(options) }))).quotas;
  }

  /** Who did what to which thing, the newest first. */
  audit(query: AuditQuery = {}, options?: CallOptions): Listing<AuditRecord> {
    return Listing.of<AuditRecord, string>(async (cursor) => {
      const sent = { ...query, limit: 200, ...(cursor === undefined ? {} : { cursor }) };
      const { records, next_cursor } = await dataOf(auditList({ ...this.core.by(options), query: sent }));
      return { items: records, next: next_cursor ?? undefined };
    });
  }
}

/** Keys of Roost's own API. */
export class ApiKeys {
  constructor(private readonly core: Core) {}

  /** The result holds the key, which is shown this once. */
  create(key: PlatformKeysCreateData['body'], options?: CallOptions): Promise<PlatformKeysCreateResponses[201]> {
    return dataOf(platformKeysCreate({ ...this.core.by(options), body: key }));
  }

  list(options?: CallOptions): Promise<PlatformKeysListResponses[200]> {
    return dataOf(platformKeysList({ ...this.core.by(options) }));
  }

  /** At once: open streams of the key end, too. */
  revoke(keyId: string, options?: CallOptions): Promise<unknown> {
    return dataOf(platformKeysRevoke({ ...this.core.by(options), path: { keyUuid: idOf(keyId, 'a key') } }));
  }
}

/** The account's keys of model providers, for agents that bring none. */
export class ProviderKeys {
  constructor(private readonly core: Core) {}

  set(key: ProviderKeysSetData['body'], options?: CallOptions): Promise<unknown> {
    return dataOf(providerKeysSet({ ...this.core.by(options), body: key }));
  }

  list(options?: CallOptions): Promise<ProviderKeysListResponses[200]> {
    return dataOf(providerKeysList({ ...this.core.by(options) }));
  }

  delete(provider: string, options?: CallOptions): Promise<unknown> {
    return dataOf(providerKeysDelete({ ...this.core.by(options), path: { provider: idOf(provider, 'a provider') } }));
  }
}
