import { recordAudit } from '#lib/audit';
import { type AdminAccount, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { hash } from '@node-rs/argon2';
import {
  type AccountsPage,
  addAccount,
  countAccounts,
  findAccount,
  listAccounts,
  setAgentsEnabled,
  setOperator,
} from '../accounts.repository.js';
import { ApiKeys } from '../api-keys.js';
import { findLinkedUser, findVerifiedUser, linkSubject } from '../users.repository.js';

/** What an operator does to accounts. */
@Injectable()
export class AccountAdmin {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeys,
  ) {}

  /** Errors: ALREADY_EXISTS. */
  async create(email: string, password: string, agentsEnabled: boolean): Promise<AdminAccount> {
    const passwordHash = await hash(password);
    const accountId = await this.database.transaction(async (tx) => {
      const id = await addAccount(tx, { email, passwordHash, agentsEnabled });
      if (id === undefined) throw new RoostError('ALREADY_EXISTS', `there is an account for ${email} already`);
      await recordAudit(tx, { action: 'account.created', target: { type: 'account', id }, accountId: id });
      return id;
    });
    return this.find(accountId);
  }

  /** Errors: NOT_FOUND. */
  async setAgentsEnabled(who: string, enabled: boolean): Promise<AdminAccount> {
    const { accountId } = await this.find(who);
    await this.database.transaction(async (tx) => {
      await setAgentsEnabled(tx, accountId, enabled);
      const action = enabled ? 'account.agents_enabled' : 'account.agents_disabled';
      await recordAudit(tx, { action, target: { type: 'account', id: accountId }, accountId });
    });
    this.keys.forgetEverywhere();
    return this.find(accountId);
  }

  /** Errors: NOT_FOUND. */
  async setOperator(who: string, isOperator: boolean): Promise<AdminAccount> {
    const { accountId } = await this.find(who);
    await this.database.transaction(async (tx) => {
      await setOperator(tx, accountId, isOperator);
      const action = isOperator ? 'account.operator_made' : 'account.operator_removed';
      await recordAudit(tx, { action, target: { type: 'account', id: accountId }, accountId });
    });
    this.keys.forgetEverywhere();
    return this.find(accountId);
  }

  /** A second time changes nothing. Errors: NOT_FOUND, ALREADY_EXISTS (the subject is another user's). */
  async link(email: string, issuer: string, subject: string): Promise<AdminAccount> {
    await this.database.transaction(async (tx) => {
      const user = await findVerifiedUser(tx, email);
      if (!user) throw new RoostError('NOT_FOUND', `there is no user with the email ${email}`);
      if (await linkSubject(tx, issuer, subject, user.id)) {
        const { id, accountId } = user;
        return recordAudit(tx, { action: 'user.linked', target: { type: 'user', id }, accountId, fields: [issuer] });
      }
      const linked = await findLinkedUser(tx, issuer, subject);
      if (linked?.id !== user.id)
        throw new RoostError('ALREADY_EXISTS', `this subject of ${issuer} is linked to another user`);
    });
    return this.find(email);
  }

  list(query: AccountsPage): Promise<AdminAccount[]> {
    return listAccounts(this.database, query);
  }

  /** How many there are, on all pages. */
  count(search: string | undefined): Promise<number> {
    return countAccounts(this.database, search);
  }

  /** The account of an email, an id or a name. Errors: NOT_FOUND. */
  async find(who: string): Promise<AdminAccount> {
    const account = await findAccount(this.database, who);
    if (!account) throw new RoostError('NOT_FOUND', `there is no account for ${who}`);
    return account;
  }
}
