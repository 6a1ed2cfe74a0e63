import { Bus, Consumes, Handles } from '#lib/bus';
import { accountOf, type CallContext } from '#lib/call-context';
import {
  callThatStarts,
  countMessages,
  deliveryFailed,
  getMessage,
  interruptSubject,
  listMessages,
  markMessageRead,
  messageCreated,
  postMessage,
  recentTexts,
  recordedSubject,
  RoostError,
  sendMessage,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Controller } from '@nestjs/common';
import type { z } from 'zod';
import { KnownAgents, unknownAgent } from '../agents/known-agents.js';
import { failDelivery } from './fail-delivery.js';
import { getMessage as findMessage, isSettled, markRead } from './get-message.js';
import { listMessages as findMessages } from './list-messages.js';
import { postMessage as post } from './post-message.js';
import { recentTexts as findTexts } from './recent-texts.js';
import { SendBatcher } from './send-batcher.js';
import { isKnown, type SendRequest } from './send-messages.js';
import { SettledMessages } from './settled-messages.js';
import { WaitingQuota } from './waiting-quota.js';

type InputOf<C extends { input: z.ZodType }> = z.output<C['input']>;

/** Postgres: text or JSON that it cannot hold (NUL, half of a surrogate pair). */
const UNSTORABLE = new Set(['22P02', '22P05', '22021']);

@Controller()
export class MessagesHandlers {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly agents: KnownAgents,
    private readonly batcher: SendBatcher,
    private readonly settled: SettledMessages,
    private readonly waiting: WaitingQuota,
  ) {}

  @Handles(sendMessage)
  async send(input: InputOf<typeof sendMessage>, context: CallContext) {
    const request = { input, accountId: accountOf(context), headers: eventHeaders(context) };
    const ended = await this.waiting.admit(request.accountId).catch((error: unknown) => this.unlessKnown(input, error));
    try {
      return await this.accept(request);
    } finally {
      ended();
    }
  }

  private async accept(request: SendRequest) {
    const { input } = request;
    let outcome = await this.batcher.send(request).catch(refuseUnstorable);
    if (outcome.kind === 'unknown-agent' || (outcome.kind === 'unavailable' && (await this.isNews(input.agentId)))) {
      await this.agents.learn(input.agentId);
      outcome = await this.batcher.send(request).catch(refuseUnstorable);
    }
    if (outcome.kind === 'unavailable') {
      const state = outcome.status === 'error' ? 'in error' : outcome.status;
      throw new RoostError('AGENT_UNAVAILABLE', `the agent is ${state}: ${callThatStarts(input.agentId)}`, [
        { reason: outcome.status },
      ]);
    }
    if (outcome.kind !== 'accepted') throw unknownAgent();
    this.bus.hint(recordedSubject(input.agentId));
    if (outcome.interruptsTurn) this.bus.signal(interruptSubject(input.agentId));
    if (outcome.canBeClaimed) this.bus.signal(WAKE_RUNTIME);
    return outcome.message;
  }

  @Handles(postMessage)
  async post(input: InputOf<typeof postMessage>, context: CallContext) {
    await this.agents.require(input.agentId, context);
    return this.database.transaction((tx) => post(tx, accountOf(context), input)).catch(refuseUnstorable);
  }

  /** A message that was accepted before takes no room: repeated, it is answered as then. */
  private async unlessKnown(input: SendRequest['input'], error: unknown): Promise<() => void> {
    if (input.dedupeKey === undefined || !(await isKnown(this.database, input.agentId, input.dedupeKey))) throw error;
    return () => undefined;
  }

  /** A deleted agent looks stopped until its event is here: lifecycle knows. Without its answer it stays stopped. */
  private async isNews(agentId: string): Promise<boolean> {
    return this.agents.learn(agentId).then(
      ({ status }) => status !== 'stopped' && status !== 'error',
      (error: unknown) => error instanceof RoostError && error.code === 'NOT_FOUND',
    );
  }

  @Handles(getMessage)
  async get({ agentId, messageId, waitSeconds }: InputOf<typeof getMessage>, context: CallContext) {
    const accountId = accountOf(context);
    // The answer must be on its way before the caller gives up.
    const waitMs = Math.min(waitSeconds * 1_000, context.deadline - Date.now() - 250);
    if (waitMs > 0)
      await this.settled.until(messageId, waitMs, () => isSettled(this.database, accountId, agentId, messageId));
    return findMessage(this.database, accountId, agentId, messageId, () => this.agents.require(agentId, context));
  }

  @Handles(listMessages)
  async list(query: InputOf<typeof listMessages>, context: CallContext) {
    return findMessages(this.database, accountOf(context), query, () => this.agents.require(query.agentId, context));
  }

  @Handles(recentTexts)
  recent(query: InputOf<typeof recentTexts>, context: CallContext) {
    return findTexts(this.database, accountOf(context), query);
  }

  @Handles(markMessageRead)
  read({ agentId, messageId }: InputOf<typeof markMessageRead>, context: CallContext) {
    return markRead(this.database, accountOf(context), agentId, messageId);
  }

  @Consumes(deliveryFailed)
  onDeliveryFailed(event: z.output<typeof deliveryFailed.payload>, tx: Transaction) {
    return failDelivery(tx, event);
  }

  @Handles(countMessages)
  async count({ agentIds }: InputOf<typeof countMessages>, context: CallContext) {
    const rows = await this.database.query<{ agent_id: string; count: string }>(
      `SELECT agent_id, sum(message_count) AS count FROM conversations
       WHERE agent_id = ANY($1::uuid[]) AND account_id = $2 GROUP BY agent_id`,
      [agentIds, accountOf(context)],
    );
    return { counts: Object.fromEntries(rows.map((row) => [row.agent_id, Number(row.count)])) };
  }
}

function eventHeaders(context: CallContext): Record<string, string> {
  return {
    v: String(messageCreated.v),
    'roost-request-id': context.requestId,
    ...(context.traceparent ? { traceparent: context.traceparent } : {}),
  };
}

function refuseUnstorable(error: unknown): never {
  if (error instanceof Error && 'code' in error && UNSTORABLE.has(String(error.code))) {
    throw new RoostError('VALIDATION_ERROR', 'content and metadata must be valid Unicode without NUL characters', [
      { field: 'content', reason: 'invalid_characters' },
    ]);
  }
  throw error;
}
