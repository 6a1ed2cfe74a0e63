import { AccountRemoval, Consumes, LOGGER } from '#lib/bus';
import { accountDeleted, accountRemoved } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import { deleteAllProviderKeys } from '../provider-keys/provider-keys.repository.js';
import { deleteBudgetsOf } from '../budgets/budgets.repository.js';
import { deleteUsageOf } from '../usage/usage.repository.js';
import { deleteVaultOf } from '../vault/vault.repository.js';
import { AgentsService } from './agents.service.js';

/** Agents in one transaction. */
const BATCH = 20;

/** A deleted account's agents are deleted one by one, as by their owner: the other services follow their events. */
@Injectable()
export class LifecycleAccountRemoval extends AccountRemoval {
  constructor(
    database: Database,
    private readonly agents: AgentsService,
    @Inject(LOGGER) logger: Logger,
  ) {
    super(database, logger);
  }

  @Consumes(accountDeleted)
  async onDeleted({ accountId }: { accountId: string }, tx: Transaction): Promise<void> {
    await this.begin(tx, accountId);
    await tx.outbox(accountRemoved, { accountId }, accountId);
  }

  protected async removeSome(tx: Transaction, accountId: string): Promise<boolean> {
    await deleteAllProviderKeys(tx, accountId);
    await deleteVaultOf(tx, accountId);
    const hasMore = (await this.agents.deleteOldest(tx, accountId, BATCH)) === BATCH;
    // After its agents, whose usage is summed when they go.
    await deleteUsageOf(tx, accountId);
    await deleteBudgetsOf(tx, accountId);
    return hasMore;
  }
}
