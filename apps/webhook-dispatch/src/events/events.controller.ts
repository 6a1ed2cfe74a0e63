import { Consumes, type ReceivedEvent } from '#lib/bus';
import {
  agentCreated,
  agentDeleted,
  agentErrored,
  agentKeyRefused,
  agentStatusChanged,
  agentUpdated,
  Approval,
  approvalDecided,
  approvalExpired,
  approvalRequested,
  Budget,
  budgetExhausted,
  budgetReset,
  budgetThreshold,
  channelFailed,
  encode,
  mcpAuthorizationNeeded,
  type Message,
  messageCompleted,
  messageFailed,
  scheduleMissed,
  VaultGrant,
  vaultGrantChanged,
  VaultSecret,
  vaultSecretChanged,
} from '#lib/contracts';
import type { Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import { v5 } from 'uuid';
import type { z } from 'zod';
import { DeliveryWorker } from '../deliveries/delivery-worker.js';
import { cancelDeliveries } from '../deliveries/queue.repository.js';
import { AgentEndpointsService } from '../endpoints/agent-endpoints.service.js';
import { deleteAgent, lockAgent } from '../endpoints/endpoints.repository.js';
import { boundReplies } from './batch-replies.js';
import { expandEvent, type WebhookOccurrence } from './expand-event.js';

type Payload<E extends { payload: z.ZodType }> = z.output<E['payload']>;

/** Turns events of the services into webhooks. */
@Controller()
export class EventsController {
  constructor(
    private readonly agents: AgentEndpointsService,
    private readonly worker: DeliveryWorker,
  ) {}

  /** One webhook for each message of the batch; `usage` is the turn's, to be counted once per `turn_id`. */
  @Consumes(messageCompleted)
  async onCompleted(event: Payload<typeof messageCompleted>, tx: Transaction, { id }: ReceivedEvent) {
    const replies = boundReplies(event.replies, event.messages.length);
    await this.agents.ensure(tx, event.agentId);
    for (const message of event.messages)
      await this.expand(tx, {
        ...occurrence(event, 'message.completed', v5(message.id, id), event.replies[0]?.createdAt),
        data: {
          agent_id: event.agentId,
          turn_id: event.turnId,
          message: onWire(message),
          ...replies,
          usage: {
            input_tokens: event.usage.inputTokens,
            output_tokens: event.usage.outputTokens,
            cached_input_tokens: event.usage.cachedInputTokens,
          },
        },
      });
  }

  @Consumes(messageFailed)
  async onFailed(event: Payload<typeof messageFailed>, tx: Transaction, { id }: ReceivedEvent) {
    await this.agents.ensure(tx, event.agentId);
    for (const message of event.messages)
      await this.expand(tx, {
        ...occurrence(event, 'message.failed', v5(message.id, id)),
        data: { agent_id: event.agentId, turn_id: event.turnId, message: onWire(message), error: event.error },
      });
  }

  @Consumes(agentErrored)
  onErrored(event: Payload<typeof agentErrored>, tx: Transaction, received: ReceivedEvent) {
    return this.agentError(event, tx, received);
  }

  @Consumes(agentKeyRefused)
  onKeyRefused(event: Payload<typeof agentKeyRefused>, tx: Transaction, received: ReceivedEvent) {
    return this.agentError(event, tx, received);
  }

  private async agentError(
    event: Payload<typeof agentErrored> | Payload<typeof agentKeyRefused>,
    tx: Transaction,
    { id }: ReceivedEvent,
  ) {
    await this.agents.ensure(tx, event.agentId);
    await this.expand(tx, {
      ...occurrence(event, 'agent.error', id, event.occurredAt),
      data: { agent_id: event.agentId, error: { code: event.code, message: event.message } },
    });
  }

  @Consumes(channelFailed)
  async onChannelFailed(event: Payload<typeof channelFailed>, tx: Transaction, { id }: ReceivedEvent) {
    await this.agents.ensure(tx, event.agentId);
    await this.expand(tx, {
      ...occurrence(event, 'agent.error', id, event.occurredAt),
      data: {
        agent_id: event.agentId,
        error: { code: 'CHANNEL_FAILED', message: event.reason, channel: event.platform },
      },
    });
  }

  @Consumes(agentStatusChanged)
  async onStatusChanged(event: Payload<typeof agentStatusChanged>, tx: Transaction, { id }: ReceivedEvent) {
    if (event.status === event.previous) return;
    await this.agents.ensure(tx, event.agentId);
    await this.expand(tx, {
      ...occurrence(event, 'agent.status_changed', id),
      data: {
        agent_id: event.agentId,
        status: event.status,
        previous_status: event.previous,
        reason: event.reason,
      },
    });
  }

  @Consumes(agentDeleted)
  async onDeleted(event: Payload<typeof agentDeleted>, tx: Transaction, { id }: ReceivedEvent) {
    const { agentId, accountId } = event;
    await lockAgent(tx, agentId);
    await deleteAgent(tx, agentId);
    await this.expand(tx, { ...occurrence(event, 'agent.deleted', id), data: { agent_id: agentId } });
    await cancelDeliveries(tx, { agentId, accountId, eventId: id });
    tx.afterCommit(() => this.worker.dropWaiting(agentId));
  }

  @Consumes(scheduleMissed)
  async onMissed(event: Payload<typeof scheduleMissed>, tx: Transaction, { id }: ReceivedEvent) {
    await this.agents.ensure(tx, event.agentId);
    await this.expand(tx, {
      ...occurrence(event, 'schedule.missed', id, event.occurredAt),
      data: {
        agent_id: event.agentId,
        schedule: { id: event.scheduleId, name: event.name },
        missed: event.count,
        first_slot: event.firstSlot.toISOString(),
        last_slot: event.lastSlot.toISOString(),
      },
    });
  }

  /** Of the account, not of an agent: to endpoints that are limited to agents it is not sent. */
  @Consumes(mcpAuthorizationNeeded)
  async onAuthorizationNeeded(event: Payload<typeof mcpAuthorizationNeeded>, tx: Transaction, { id }: ReceivedEvent) {
    await this.expand(tx, {
      ...occurrence({ accountId: event.accountId, agentId: null }, 'mcp.authorization_needed', id, event.occurredAt),
      data: {
        server: { id: event.serverId, name: event.name },
        reason: event.reason,
        authorize: `/v1/mcp/servers/${event.serverId}/oauth/authorize`,
      },
    });
  }

  @Consumes(budgetThreshold)
  onBudgetThreshold(event: Payload<typeof budgetThreshold>, tx: Transaction, { id }: ReceivedEvent) {
    return this.expandBudget(tx, 'budget.threshold', id, event);
  }

  @Consumes(budgetExhausted)
  onBudgetExhausted(event: Payload<typeof budgetExhausted>, tx: Transaction, { id }: ReceivedEvent) {
    return this.expandBudget(tx, 'budget.exhausted', id, event);
  }

  @Consumes(budgetReset)
  onBudgetReset(event: Payload<typeof budgetReset>, tx: Transaction, { id }: ReceivedEvent) {
    return this.expandBudget(tx, 'budget.reset', id, event);
  }

  /** A budget of the account is of no agent: to endpoints that are limited to agents it is not sent. */
  private async expandBudget(tx: Transaction, type: string, id: string, event: Payload<typeof budgetThreshold>) {
    const { accountId, budget } = event;
    if (budget.agentId !== null) await this.agents.ensure(tx, budget.agentId);
    await this.expand(tx, {
      ...occurrence({ accountId, agentId: budget.agentId }, type, id, event.occurredAt),
      data: { budget: encode(Budget, budget) },
    });
  }

  @Consumes(approvalRequested)
  onApprovalRequested(event: Payload<typeof approvalRequested>, tx: Transaction, { id }: ReceivedEvent) {
    return this.expandApproval(tx, 'approval.requested', id, event, event.approval.createdAt);
  }

  @Consumes(approvalDecided)
  onApprovalDecided(event: Payload<typeof approvalDecided>, tx: Transaction, { id }: ReceivedEvent) {
    return this.expandApproval(tx, 'approval.decided', id, event, event.approval.decidedAt);
  }

  @Consumes(approvalExpired)
  onApprovalExpired(event: Payload<typeof approvalExpired>, tx: Transaction, { id }: ReceivedEvent) {
    return this.expandApproval(tx, 'approval.expired', id, event, event.approval.decidedAt);
  }

  private async expandApproval(
    tx: Transaction,
    type: string,
    id: string,
    event: Payload<typeof approvalRequested>,
    at: Date | null,
  ) {
    await this.agents.ensure(tx, event.agentId);
    await this.expand(tx, {
      ...occurrence(event, type, id, at ?? undefined),
      data: { approval: encode(Approval, event.approval) },
    });
  }

  /** Of the account, not of an agent: to endpoints that are limited to agents it is not sent. */
  @Consumes(vaultSecretChanged)
  async onVaultSecretChanged(event: Payload<typeof vaultSecretChanged>, tx: Transaction, { id }: ReceivedEvent) {
    const { accountId, change, secret, occurredAt } = event;
    await this.expand(tx, {
      ...occurrence({ accountId, agentId: null }, `vault_secret.${change}`, id, occurredAt),
      data: { secret: encode(VaultSecret, secret) },
    });
  }

  @Consumes(vaultGrantChanged)
  async onVaultGrantChanged(event: Payload<typeof vaultGrantChanged>, tx: Transaction, { id }: ReceivedEvent) {
    const { accountId, change, grant, occurredAt } = event;
    const { agentId } = grant;
    await this.agents.ensure(tx, agentId);
    await this.expand(tx, {
      ...occurrence({ accountId, agentId }, `vault_grant.${change}`, id, occurredAt),
      data: { agent_id: agentId, grant: encode(VaultGrant, grant) },
    });
  }

  @Consumes(agentCreated)
  async onCreated({ agentId }: Payload<typeof agentCreated>, tx: Transaction) {
    await this.agents.ensure(tx, agentId);
  }

  @Consumes(agentUpdated)
  async onUpdated({ agentId, changed }: Payload<typeof agentUpdated>, tx: Transaction) {
    if (changed.some((field) => field.startsWith('configuration'))) await this.agents.refresh(tx, agentId);
  }

  private async expand(tx: Transaction, event: WebhookOccurrence): Promise<void> {
    if (await expandEvent(tx, event)) tx.afterCommit(() => this.worker.runSoon());
  }
}

function occurrence(
  { accountId, agentId }: { accountId: string; agentId: string | null },
  type: string,
  id: string,
  occurredAt = new Date(),
) {
  return { id, accountId, agentId, type, occurredAt };
}

function onWire(message: Message) {
  return {
    id: message.id,
    content: message.content,
    metadata: message.metadata,
    channel: message.channel,
    conversation_id: message.conversationId,
    created_at: message.createdAt.toISOString(),
  };
}
