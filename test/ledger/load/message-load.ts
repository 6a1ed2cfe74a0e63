import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { followEvents, type FollowedEvent, type Following, until } from '#lib/testing';
import { answeredIn, markOf, marksIn } from '../../doubles/stand-in-model.js';
import type { Record } from '../record.js';
import type { Client } from './client.js';
import { Expected } from './expected.js';

export interface MessageLoadOptions {
  client: Client;
  record: Record;
  agents: number;
  /** Of the agents, one after the other; by default the platform's. */
  models?: readonly string[] | undefined;
  messagesPerSecond: number;
  isOver(): boolean;
}

interface Listed {
  id: string;
  role: 'user' | 'assistant';
  content: string;
  conversation_id: string;
}

const CONVERSATIONS = 2;
/** Then the next begins: a request to the model holds all of its conversation. */
const CONVERSATION_LENGTH = 60;
const REQUEST_TIMEOUT_MS = 10_000;
/** Far longer than any fault: what has no 2xx by then is given up, and was never accepted. */
const GIVE_UP_MS = 120_000;
const OF_MESSAGES = /^message\.(created|completed|failed)$/;

/**
 * Sends messages at a steady rate. Each conversation sends one after the other, the next when the one before was
 * accepted, so that its order is known; a request without a 2xx is repeated under the same `Idempotency-Key`. One event
 * stream per agent, resumed by `Last-Event-ID`, says what became of them.
 */
export class MessageLoad {
  readonly agentIds: string[] = [];
  accepted = 0;
  /** By id. */
  readonly answers = new Expected();
  private readonly streams: Following[] = [];

  /** `onCompleted`: the stream says that a message was answered. */
  constructor(
    private readonly options: MessageLoadOptions,
    private readonly onCompleted: (id: string) => void = () => undefined,
  ) {}

  /** Makes the agents and opens their streams. */
  async prepare(): Promise<void> {
    const { agents, models = [], client } = this.options;
    for (let count = 0; count < agents; count += 1) {
      const model = models[count % models.length];
      const made = await client.ask<{ id: string }>('POST', '/v1/agent/create', {
        name: `ledger-${count}`,
        ...(model === undefined ? {} : { configuration: { model } }),
      });
      this.agentIds.push(made.id);
    }
    const opened = new Set<string>();
    for (const agentId of this.agentIds) this.follow(agentId, () => opened.add(agentId));
    await until('all streams are open', () => opened.size === agents, { timeoutMs: 30_000 });
  }

  /** Until it is over; resolves when the last message was accepted. */
  async run(): Promise<void> {
    const { messagesPerSecond, isOver } = this.options;
    const senders = this.agentIds.flatMap((agentId) =>
      Array.from({ length: CONVERSATIONS }, (_, index) => ({ agentId, conversation: `c${index}` })),
    );
    const everyMs = (1_000 * senders.length) / messagesPerSecond;
    const startedAt = Date.now();
    await Promise.all(
      senders.map(async (sender, index) => {
        let dueAt = startedAt + (index / senders.length) * everyMs;
        for (let count = 0; !isOver(); count += 1, dueAt += everyMs) {
          if (dueAt > Date.now()) await sleep(dueAt - Date.now());
          const conversation = `${sender.conversation}-${Math.floor(count / CONVERSATION_LENGTH)}`;
          await this.send({ ...sender, conversation });
        }
      }),
    );
  }

  /** Writes all messages of every agent down, in the order of the API. */
  async list(): Promise<void> {
    for (const agent of this.agentIds) {
      for (const { role, content, conversation_id: conversation } of await this.listOf(agent)) {
        const numbers = role === 'user' ? marksIn(content) : answeredIn(content);
        this.options.record.write({ kind: 'listed', agent, conversation, role, numbers });
      }
    }
  }

  get reconnects(): number {
    return this.streams.reduce((sum, stream) => sum + stream.reconnects, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.streams.map((stream) => stream.stop()));
  }

  private async send({ agentId, conversation }: { agentId: string; conversation: string }): Promise<void> {
    const { client, record } = this.options;
    const n = record.nextNumber();
    const key = randomUUID();
    record.write({ kind: 'sent', n, agent: agentId, conversation, via: 'api' });
    const giveUpAt = Date.now() + GIVE_UP_MS;
    for (let tries = 1; Date.now() < giveUpAt; tries += 1) {
      try {
        const response = await fetch(`${client.nextUrl}/v1/agent/${agentId}/messages`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${client.access.apiKey}`,
            'content-type': 'application/json',
            'idempotency-key': key,
          },
          body: JSON.stringify({ content: `message ${markOf(n)}`, conversation_id: conversation }),
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        });
        const { id } = (await response.json()) as { id: string };
        if (response.status === 201) {
          record.write({ kind: 'accepted', n, id });
          this.accepted += 1;
          this.answers.announce(id);
          return;
        }
      } catch {
        // Refused, cut or too late: whether it was stored is unknown, and the same key finds out.
      }
      await sleep(Math.min(100 * 2 ** Math.min(tries, 4), 1_000));
    }
  }

  private follow(agent: string, onOpen: () => void): void {
    const { client, record } = this.options;
    const onEvent = ({ id = '', type, data }: FollowedEvent) => {
      if (!OF_MESSAGES.test(type)) return;
      const {
        message,
        messages = message ? [message] : [],
        turn_id: turn,
        error,
      } = data as {
        message?: { id: string };
        messages?: { id: string }[];
        turn_id?: string;
        error?: { code: string };
      };
      const ids = messages.map((one) => one.id);
      record.write({
        ...{ kind: 'event', agent, id, type, messages: ids },
        ...(turn === undefined ? {} : { turn }),
        ...(error ? { code: error.code } : {}),
      });
      if (type === 'message.created') return;
      for (const one of ids) {
        this.answers.arrive(one);
        if (type === 'message.completed') this.onCompleted(one);
      }
    };
    const headers = { authorization: `Bearer ${client.access.apiKey}` };
    this.streams.push(followEvents(() => `${client.nextUrl}/v1/agent/${agent}/events`, headers, onEvent, { onOpen }));
  }

  private async listOf(agentId: string): Promise<Listed[]> {
    const all: Listed[] = [];
    for (let before: string | undefined; ;) {
      const query = before === undefined ? '' : `&before=${before}`;
      const path = `/v1/agent/${agentId}/messages?limit=100${query}`;
      const page = await this.options.client.ask<{ messages: Listed[]; has_more: boolean }>('GET', path);
      all.unshift(...page.messages);
      before = page.messages[0]?.id;
      if (!page.has_more || before === undefined) return all;
    }
  }
}
