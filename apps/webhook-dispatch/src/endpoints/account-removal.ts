import { AccountRemoval, Consumes, LOGGER } from '#lib/bus';
import { accountDeleted } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import { deleteSomeOfAccount } from '../deliveries/deliveries.repository.js';
import { deleteAgentsOfAccount } from '../deliveries/queue.repository.js';
import { deleteEndpointsOfAccount } from './endpoints.repository.js';

const BATCH = 500;

/** Removes the endpoints of a deleted account, what waits for them and what was sent. */
@Injectable()
export class DispatchAccountRemoval extends AccountRemoval {
  constructor(database: Database, @Inject(LOGGER) logger: Logger) {
    super(database, logger);
  }

  @Consumes(accountDeleted)
  async onDeleted({ accountId }: { accountId: string }, tx: Transaction): Promise<void> {
    await this.begin(tx, accountId);
  }

  protected async removeSome(tx: Transaction, accountId: string): Promise<boolean> {
    await deleteEndpointsOfAccount(tx, accountId);
    await deleteAgentsOfAccount(tx, accountId);
    return (await deleteSomeOfAccount(tx, accountId, BATCH)) === BATCH;
  }
}
