import { type Core, dataOf, idOf } from '../core.js';
import {
  operatorsChange,
  operatorsCreate,
  operatorsDelete,
  operatorsGet,
  operatorsList,
  operatorsQuotasOf,
  operatorsServices,
  operatorsSetQuota,
} from '../generated/sdk.gen.js';
import type {
  OperatorsChangeData,
  OperatorsCreateData,
  OperatorsGetResponses,
  OperatorsServicesResponses,
  OperatorsSetQuotaData,
} from '../generated/types.gen.js';
import { type Listing, numbered } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';
import type { Quota } from './account.js';

export type AdminAccount = OperatorsGetResponses[200];
export type NewAccount = OperatorsCreateData['body'];
export type AccountChange = OperatorsChangeData['body'];
export type QuotaChange = OperatorsSetQuotaData['body'];
export type ServiceHealth = OperatorsServicesResponses[200]['services'][number];

/** What operators of a Roost see and do of all its accounts. Others are refused with a `PermissionError`. */
export class Admin {
  readonly accounts: AdminAccounts;

  constructor(private readonly core: Core) {
    this.accounts = new AdminAccounts(core);
  }

  /** How each service is. */
  async services(options?: CallOptions): Promise<ServiceHealth[]> {
    return (await dataOf(operatorsServices({ ...this.core.by(options) }))).services;
  }
}

export class AdminAccounts {
  constructor(private readonly core: Core) {}

  /** Oldest first; with `search` those with it in their name or in an email. */
  list({ search }: { search?: string } = {}, options?: CallOptions): Listing<AdminAccount> {
    return numbered(
      (page) => {
        const query = { page, limit: 100, ...(search ? { search } : {}) };
        return dataOf(operatorsList({ ...this.core.by(options), query }));
      },
      ({ accounts }) => accounts,
    );
  }

  create(account: NewAccount, options?: CallOptions): Promise<AdminAccount> {
    return dataOf(operatorsCreate({ ...this.core.by(options), body: account }));
  }

  get(accountId: string, options?: CallOptions): Promise<AdminAccount> {
    return dataOf(operatorsGet(this.call(accountId, options)));
  }

  update(accountId: string, change: AccountChange, options?: CallOptions): Promise<AdminAccount> {
    return dataOf(operatorsChange({ ...this.call(accountId, options), body: change }));
  }

  /** Permanently, with everything that it owns. */
  async delete(accountId: string, options?: CallOptions): Promise<void> {
    await dataOf(operatorsDelete(this.call(accountId, options)));
  }

  async quotas(accountId: string, options?: CallOptions): Promise<Quota[]> {
    return (await dataOf(operatorsQuotasOf(this.call(accountId, options)))).quotas;
  }

  /** `limit: null`: as for all accounts. */
  async setQuota(accountId: string, change: QuotaChange, options?: CallOptions): Promise<Quota[]> {
    return (await dataOf(operatorsSetQuota({ ...this.call(accountId, options), body: change }))).quotas;
  }

  private call(accountId: string, options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { accountId: idOf(accountId, 'an account') } };
  }
}
