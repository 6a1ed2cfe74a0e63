import { AccountRemoval, Consumes, LOGGER } from '#lib/bus';
import { accountDeleted } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';

const BATCH = 500;

/** Endpoints of a deleted account, what waits for them and what was sent. */
@Injectable()
export class ForgetAccount extends AccountRemoval {
  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    super(database, logger);
  }

  @Consumes(accountDeleted)
  async onDeleted({ accountId }: { accountId: string }, tx: Transaction): Promise<void> {
    await this.begin(tx, accountId);
  }

  protected async removeSome(tx: Transaction, accountId: string): Promise<boolean> {
    await tx.query(`DELETE FROM endpoints WHERE account_id = $1`, [accountId]);
    await tx.query(`DELETE FROM deleted_agents WHERE account_id = $1`, [accountId]);
    const removed = await tx.query<{ id: string; event_id: string }>(
      `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE account_id = $1 ORDER BY seq LIMIT $2)
       RETURNING id, event_id`,
      [accountId, BATCH],
    );
    await tx.query(`DELETE FROM attempts WHERE delivery_id = ANY($1::uuid[])`, [removed.map(({ id }) => id)]);
    await tx.query(`DELETE FROM events WHERE id = ANY($1::uuid[]) AND account_id = $2`, [
      removed.map(({ event_id }) => event_id),
      accountId,
    ]);
    return removed.length === BATCH;
  }
}
