import { accountDeleted, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { Mailer } from '../mail/mailer.js';
import { ApiKeys } from './api-keys.js';

/**
 * Deletes an account for good. Its users, keys and sign-ins go in one transaction with the event by which every other
 * service removes its own: from the commit on nobody gets in, and what is killed after it goes on by the event.
 */
@Injectable()
export class AccountDeletion {
  constructor(
    private readonly database: Database,
    private readonly keys: ApiKeys,
    private readonly mailer: Mailer,
  ) {}

  /** Errors: NOT_FOUND, also the second time. */
  async delete(accountId: string): Promise<void> {
    const emails = await this.database.transaction(async (tx) => {
      // Before its keys: none is made for it meanwhile.
      const found = await tx.query(`SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE`, [accountId]);
      if (found.length === 0) throw new RoostError('NOT_FOUND', 'there is no such account');
      const users = await tx.query<{ email: string }>(`DELETE FROM users WHERE account_id = $1 RETURNING email`, [
        accountId,
      ]);
      await tx.query(`DELETE FROM registrations WHERE email = ANY($1)`, [users.map(({ email }) => email)]);
      await tx.query(`DELETE FROM api_keys WHERE account_id = $1`, [accountId]);
      await tx.query(`DELETE FROM rate_counts WHERE account_id = $1`, [accountId]);
      // Answers kept for its Idempotency-Keys.
      await tx.query(`DELETE FROM idempotency WHERE scope = $1`, [accountId]);
      await tx.query(`DELETE FROM accounts WHERE id = $1`, [accountId]);
      await tx.outbox(accountDeleted, { accountId }, accountId);
      return users.map(({ email }) => email);
    });
    // Streams look at once, too: they end with the keys and sign-ins.
    this.keys.forgetEverywhere();
    for (const email of emails) this.mailer.sendAccountDeleted(email);
  }
}
