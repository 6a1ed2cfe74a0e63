import { recordAudit } from '#lib/audit';
import { accountDeleted, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { Mailer } from '../mail/mailer.js';
import { lockAccount, removeAccount } from './accounts.repository.js';
import { ApiKeys } from './api-keys.js';
import { confirmOwner, type Owner } from './owner-check.js';

/**
 * Deletes an account permanently. Its users, keys and sign-ins go in one transaction with the event by which every other
 * service removes its own: from the commit on nobody gets in, and what is killed after it goes on by the event.
 */
@Injectable()
export class AccountDeletion {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeys,
    private readonly mailer: Mailer,
  ) {}

  /**
   * For its owner, or without one for an operator.
   * Errors: NOT_FOUND, also the second time; ACCESS_DENIED, UNAUTHORIZED where what the owner showed has ended since.
   */
  async delete(accountId: string, owner?: Owner): Promise<void> {
    const emails = await this.database.transaction(async (tx) => {
      // Before its keys: none is made for it meanwhile.
      if (!(await lockAccount(tx, accountId))) throw new RoostError('NOT_FOUND', 'there is no such account');
      if (owner) await confirmOwner(tx, owner);
      const removed = await removeAccount(tx, accountId);
      await recordAudit(tx, { action: 'account.deleted', target: { type: 'account', id: accountId }, accountId });
      await tx.outbox(accountDeleted, { accountId }, accountId);
      return removed;
    });
    // Streams are looked up at once, too: they end with the keys and sign-ins.
    this.keys.forgetEverywhere();
    for (const email of emails) this.mailer.sendAccountDeleted(email);
  }
}
