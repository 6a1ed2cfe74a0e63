import { Bus } from '#lib/bus';
import {
  callThatStarts,
  type deliveryFailed,
  interruptSubject,
  type Message,
  messageFailed,
  messagePosted,
  type postMessage,
  recordedSubject,
  RoostError,
  WAKE_RUNTIME,
} from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { lockAgent, unknownAgent } from '../agents/agents.repository.js';
import { AgentsService } from '../agents/agents.service.js';
import { openConversation } from '../conversations/conversations.repository.js';
import { insertOwnMessage, markUndelivered } from './replies.repository.js';
import { SendBatcher } from './send-batcher.js';
import { isKnown, type SendRequest } from './send.repository.js';
import { WaitingQuota } from './waiting-quota.js';

/** Postgres: text or JSON that it cannot hold (NUL, half of a surrogate pair). */
const UNSTORABLE = new Set(['22P02', '22P05', '22021']);

@Injectable()
export class MessagesService {
  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly agents: AgentsService,
    private readonly batcher: SendBatcher,
    private readonly waiting: WaitingQuota,
  ) {}

  /** Queues a message to an agent; `interruptedIds`: those that are answered no more for it. Errors: NOT_FOUND, AGENT_UNAVAILABLE, QUOTA_EXCEEDED, VALIDATION_ERROR. */
  async send(request: SendRequest) {
    const { accountId, input } = request;
    const ended = await this.waiting.admit(accountId).catch((error: unknown) => this.unlessKnown(input, error));
    try {
      return await this.accept(request);
    } finally {
      ended();
    }
  }

  /** Stores an agent's own message with its event; one whose dedupe key is known changes nothing. Errors: NOT_FOUND. */
  post(accountId: string, post: z.output<typeof postMessage.input>): Promise<Message> {
    return this.database
      .transaction(async (tx) => {
        const { agentId } = post;
        if (!(await lockAgent(tx, agentId, accountId))) throw unknownAgent();
        const channel = await openConversation(tx, accountId, post);
        const { message, isNew } = await insertOwnMessage(tx, accountId, post, channel);
        if (isNew) await tx.outbox(messagePosted, { accountId, agentId, message }, agentId);
        return message;
      })
      .catch(refuseUnstorable);
  }

  /** Marks replies that a chat platform will not show, and reports them as any failed message; repeated it changes nothing. */
  async failDelivery(tx: Transaction, event: z.output<typeof deliveryFailed.payload>): Promise<void> {
    const { accountId, agentId, platform, reason } = event;
    await lockAgent(tx, agentId, accountId);
    const error = { code: 'DELIVERY_FAILED', message: `${platform}: ${reason}` };
    const marked = await markUndelivered(tx, event, error);
    const [first] = marked;
    if (!first) return;
    // What an agent sent by itself belongs to no turn: the message's own id is given for it.
    const turnId = first.turnId ?? first.message.id.replace(/^msg_/, '');
    const messages = marked.map(({ message }) => message);
    await tx.outbox(messageFailed, { accountId, agentId, turnId, messages, error }, agentId);
  }

  private async accept(request: SendRequest) {
    const { input } = request;
    let outcome = await this.batcher.send(request).catch(refuseUnstorable);
    if (
      outcome.kind === 'unknown-agent' ||
      (outcome.kind === 'unavailable' && (await this.canBeWoken(input.agentId)))
    ) {
      await this.agents.fetch(input.agentId);
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
    return outcome;
  }

  /** A message that was accepted before takes no quota: repeated, it is answered as then. */
  private async unlessKnown(input: SendRequest['input'], error: unknown): Promise<() => void> {
    if (input.dedupeKey === undefined || !(await isKnown(this.database, input.agentId, input.dedupeKey))) throw error;
    return () => undefined;
  }

  /** A deleted agent looks stopped until its event is here: lifecycle knows. Without its answer it stays stopped. */
  private async canBeWoken(agentId: string): Promise<boolean> {
    return this.agents.fetch(agentId).then(
      ({ status }) => status !== 'stopped' && status !== 'error',
      (error: unknown) => error instanceof RoostError && error.code === 'NOT_FOUND',
    );
  }
}

function refuseUnstorable(error: unknown): never {
  if (error instanceof Error && 'code' in error && UNSTORABLE.has(String(error.code))) {
    throw new RoostError('VALIDATION_ERROR', 'content and metadata must be valid Unicode without NUL characters', [
      { field: 'content', reason: 'invalid_characters' },
    ]);
  }
  throw error;
}
