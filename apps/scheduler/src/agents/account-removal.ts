import { AccountRemoval, Consumes, LOGGER } from '#lib/bus';
import { accountDeleted } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import { deleteSome } from './agents.repository.js';

/** Rows with their executions in one transaction. */
const BATCH = 50;

/** Deletes a deleted account's schedules and triggers, without waiting for its agents' events: none fires any more. */
@Injectable()
export class SchedulerAccountRemoval extends AccountRemoval {
  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    super(database, logger);
  }

  @Consumes(accountDeleted)
  async onDeleted({ accountId }: { accountId: string }, tx: Transaction): Promise<void> {
    await this.begin(tx, accountId);
  }

  protected async removeSome(tx: Transaction, accountId: string): Promise<boolean> {
    let isMore = false;
    for (const table of ['schedules', 'triggers'] as const)
      isMore = (await deleteSome(tx, table, accountId, BATCH)) === BATCH || isMore;
    return isMore;
  }
}
