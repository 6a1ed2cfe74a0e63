import { Bus } from '#lib/bus';
import { getAgentWebhooks, RoostError } from '#lib/contracts';
import { newId, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import { cancelOfEndpoints } from '../deliveries/queue.repository.js';
import { EndpointSecrets } from './endpoint-secrets.js';
import {
  addAgent,
  addAgentEndpoint,
  deleteAgent,
  deleteOtherUrl,
  isAgentKnown,
  lockAgent,
} from './endpoints.repository.js';

const EVENT_OF = {
  messageComplete: 'message.completed',
  messageFailed: 'message.failed',
  agentError: 'agent.error',
} as const;
/** Beyond it all are looked up anew. */
const MAX_ENSURED = 10_000;

/** Turns the URLs of an agent's configuration into endpoints of their own, so that both kinds are delivered alike. */
@Injectable()
export class AgentEndpointsService {
  /** Agents whose rows were seen to be there: only their deletion removes them, and then nothing is planned for them. */
  private readonly ensured = new Set<string>();

  constructor(
    private readonly bus: Bus,
    private readonly secrets: EndpointSecrets,
  ) {}

  /** Makes sure that the agent's endpoints are there. Errors: SERVICE_UNAVAILABLE when they are not and lifecycle is away. */
  async ensure(tx: Transaction, agentId: string): Promise<void> {
    if (this.ensured.has(agentId)) return;
    if (!(await isAgentKnown(tx, agentId))) await this.refresh(tx, agentId);
    tx.afterCommit(() => {
      if (this.ensured.size >= MAX_ENSURED) this.ensured.clear();
      this.ensured.add(agentId);
    });
  }

  /**
   * Makes the agent's endpoints those of its present configuration; an endpoint whose URL stays keeps its secret and health.
   * What waits for another URL is cancelled.
   */
  async refresh(tx: Transaction, agentId: string): Promise<void> {
    await lockAgent(tx, agentId);
    const found = await this.bus.request(getAgentWebhooks, { agentId }).catch((error: unknown) => {
      if (error instanceof RoostError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    });
    if (!found) return deleteAgent(tx, agentId);
    const { accountId, webhooks } = found;
    for (const [name, type] of Object.entries(EVENT_OF)) {
      const url = webhooks[name as keyof typeof EVENT_OF];
      await cancelOfEndpoints(tx, await deleteOtherUrl(tx, agentId, type, url));
      if (url === undefined) continue;
      const id = newId();
      const sealedSecret = this.secrets.seal(this.secrets.create(), id);
      await addAgentEndpoint(tx, { accountId, agentId }, { id, url, type, sealedSecret });
    }
    await addAgent(tx, agentId, accountId);
  }
}
