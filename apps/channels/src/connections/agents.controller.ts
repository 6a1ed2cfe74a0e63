import { Bus, Consumes } from '#lib/bus';
import { agentCreated, agentDeleted, agentUpdated } from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { deleteAgent } from '../bindings/bindings.repository.js';
import { BOTS_CHANGED } from './connections.service.js';

/** Agents that come, go or get other bots. */
@Controller()
export class AgentsController {
  constructor(private readonly bus: Bus) {}

  @Consumes(agentCreated)
  async onCreated(_event: z.output<typeof agentCreated.payload>, tx: Transaction): Promise<void> {
    tx.afterCommit(() => this.bus.signal(BOTS_CHANGED));
  }

  @Consumes(agentUpdated)
  async onUpdated(event: z.output<typeof agentUpdated.payload>, tx: Transaction): Promise<void> {
    if (event.changed.some((field) => field.includes('bot_token'))) {
      tx.afterCommit(() => this.bus.signal(BOTS_CHANGED));
    }
  }

  @Consumes(agentDeleted)
  async onDeleted({ agentId }: z.output<typeof agentDeleted.payload>, tx: Transaction): Promise<void> {
    await deleteAgent(tx, agentId);
    tx.afterCommit(() => this.bus.signal(BOTS_CHANGED));
  }
}
