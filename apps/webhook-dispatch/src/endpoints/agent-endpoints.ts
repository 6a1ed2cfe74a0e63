import { Bus } from '#lib/bus';
import { getAgentWebhooks, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { EndpointSecrets } from './endpoint-secrets.js';

const EVENT_OF = {
  messageComplete: 'message.completed',
  messageFailed: 'message.failed',
  agentError: 'agent.error',
} as const;
/** Beyond it all are looked up anew. */
const MAX_ENSURED = 10_000;

/** Turns the URLs of an agent's configuration into endpoints of their own, so that both kinds are delivered alike. */
@Injectable()
export class AgentEndpoints {
  /** Agents whose rows were seen to be there: only their deletion takes them away, and then nothing is planned for them. */
  private readonly ensured = new Set<string>();

  constructor(
    private readonly bus: Bus,
    private readonly secrets: EndpointSecrets,
  ) {}

  /** Makes sure that the agent's endpoints are there. Errors: SERVICE_UNAVAILABLE when they are not and lifecycle is away. */
  async ensure(tx: Transaction, agentId: string): Promise<void> {
    if (this.ensured.has(agentId)) return;
    const known = await tx.query(`SELECT 1 FROM agents WHERE agent_id = $1`, [agentId]);
    if (known.length === 0) await this.refresh(tx, agentId);
    tx.afterCommit(() => {
      if (this.ensured.size >= MAX_ENSURED) this.ensured.clear();
      this.ensured.add(agentId);
    });
  }

  /** Makes the agent's endpoints those of its present configuration; an endpoint whose URL stays keeps its secret and health. */
  async refresh(tx: Transaction, agentId: string): Promise<void> {
    await this.lock(tx, agentId);
    const found = await this.bus.request(getAgentWebhooks, { agentId }).catch((error: unknown) => {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
    if (!found) return this.forget(tx, agentId);
    const { accountId, webhooks } = found;
    for (const [name, type] of Object.entries(EVENT_OF)) {
      const url = webhooks[name as keyof typeof EVENT_OF];
      await tx.query(
        `DELETE FROM endpoints WHERE source = 'agent' AND agent_ids = ARRAY[$1::uuid] AND events = ARRAY[$2] AND url IS DISTINCT FROM $3`,
        [agentId, type, url ?? null],
      );
      if (url === undefined) continue;
      const id = newId();
      await tx.query(
        `INSERT INTO endpoints (id, account_id, source, agent_ids, url, events, sealed_secret)
         SELECT $1, $2, 'agent', ARRAY[$3::uuid], $4, ARRAY[$5], $6
         WHERE NOT EXISTS (SELECT 1 FROM endpoints WHERE source = 'agent' AND agent_ids = ARRAY[$3::uuid] AND events = ARRAY[$5])`,
        [id, accountId, agentId, url, type, this.secrets.seal(this.secrets.create(), id)],
      );
    }
    await tx.query(`INSERT INTO agents (agent_id, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
      agentId,
      accountId,
    ]);
  }

  /**
   * Until the transaction ends nobody else changes the agent's endpoints: a deletion waits for a refresh that asked
   * lifecycle before it, and none puts back what it takes away.
   */
  async lock(tx: Transaction, agentId: string): Promise<void> {
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('agent ' || $1, 0))`, [agentId]);
  }

  /** Takes away what belonged to a deleted agent; the history stays until its time is over. */
  async forget(tx: Transaction, agentId: string): Promise<void> {
    await tx.query(`DELETE FROM endpoints WHERE source = 'agent' AND agent_ids = ARRAY[$1::uuid]`, [agentId]);
    await tx.query(`DELETE FROM agents WHERE agent_id = $1`, [agentId]);
  }
}
