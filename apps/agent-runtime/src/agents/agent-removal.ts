import { Consumes, LOGGER } from '#lib/bus';
import { agentDeleted, type AgentState } from '#lib/contracts';
import { apart, Database, type Transaction } from '#lib/database';
import type { Logger } from '#lib/observability';
import { EVERY_TEN_MINUTES, Sweep } from '#lib/sweeps';
import { Inject, Injectable } from '@nestjs/common';
import { addDeletedAgent, deletedAgentsAfter, deleteRowsOfAgents, forgetDeletedAgents } from './agents.repository.js';

/** Agents in one transaction. */
const BATCH = 100;
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';

/** A deleted agent leaves nothing behind here, also not what a turn writes that was under way when it was deleted. */
@Injectable()
export class AgentRemoval {
  constructor(
    private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Consumes(agentDeleted)
  async onDeleted({ agentId }: Pick<AgentState, 'agentId'>, tx: Transaction): Promise<void> {
    await addDeletedAgent(tx, agentId);
    await deleteRowsOfAgents(tx, [agentId]);
  }

  /** Replicas may sweep at the same time. */
  @Sweep('runtime.deleted-agents', EVERY_TEN_MINUTES)
  async removeLateRows(signal?: AbortSignal): Promise<void> {
    let agentIds = await deletedAgentsAfter(this.database, BEFORE_ALL, BATCH);
    while (agentIds.length > 0 && !signal?.aborted) {
      const batch = agentIds;
      await apart(
        () => this.remove(batch),
        (error) => this.logger.error({ err: error }, 'rows of deleted agents cannot be removed; tried again'),
      );
      agentIds = await deletedAgentsAfter(this.database, batch.at(-1) ?? BEFORE_ALL, BATCH);
    }
  }

  private remove(agentIds: string[]): Promise<void> {
    return this.database.transaction(async (tx) => {
      await deleteRowsOfAgents(tx, agentIds);
      await forgetDeletedAgents(tx, agentIds);
    });
  }
}
