import { AccountRemoval, Bus, Consumes, LOGGER } from '#lib/bus';
import { accountDeleted, accountRemoved } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import { WorkspacesService } from '../workspaces/workspaces.service.js';
import { syncMessagingState } from '../states/sync-messaging-state.js';
import { stateOf } from './agent-row.js';
import { deleteAgent } from './delete-agent.js';

/** Agents in one transaction. */
const BATCH = 20;

/** A deleted account's agents are deleted one by one, as by their owner: the other services follow their events. */
@Injectable()
export class ForgetAccount extends AccountRemoval {
  constructor(
    database: Database,
    private readonly bus: Bus,
    private readonly workspaces: WorkspacesService,
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
    await tx.query(`DELETE FROM account_provider_keys WHERE account_id = $1`, [accountId]);
    const agents = await tx.query<{ id: string }>(
      `SELECT id FROM agents WHERE account_id = $1 ORDER BY created_at, id LIMIT $2 FOR UPDATE`,
      [accountId, BATCH],
    );
    for (const { id: agentId } of agents) {
      const state = stateOf(await deleteAgent(tx, { agentId, accountId }));
      tx.afterCommit(() => {
        void syncMessagingState(this.bus, { ...state, status: 'stopped', revision: state.revision + 1 });
        this.workspaces.removeSoon(agentId);
      });
    }
    return agents.length === BATCH;
  }
}
