import { AccountRemoval, Consumes, LOGGER } from '#lib/bus';
import { accountDeleted } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';

/** Rows with their executions in one transaction. */
const BATCH = 50;

/** Schedules and triggers of a deleted account, before its agents' events are here: nothing fires for nobody. */
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
    let isMore = false;
    for (const table of ['schedules', 'triggers']) {
      const removed = await tx.query(
        `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE account_id = $1 LIMIT $2) RETURNING id`,
        [accountId, BATCH],
      );
      isMore ||= removed.length === BATCH;
    }
    return isMore;
  }
}
