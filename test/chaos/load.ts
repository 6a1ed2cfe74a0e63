import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiClient, type ApiClient, followEvents, type Following, until } from '#lib/testing';
import type { Entry, Listed } from './ledger.js';
import { markOf } from './stand-in-model.js';

export interface LoadOptions {
  /** Of the gateways: requests and streams go to one after the other. */
  urls: string[];
  apiKey: string;
  agents: number;
  /** Of the agents, one after the other; by default the platform's. */
  models?: readonly string[] | undefined;
  conversationsPerAgent: number;
  messagesPerSecond: number;
  durationMs: number;
  isStopped(): boolean;
}

const REQUEST_TIMEOUT_MS = 10_000;
/** A message without a 2xx for this long is given up and counts as unknown. */
const GIVE_UP_MS = 90_000;

/**
 * A client that sends at a steady rate and keeps the books. Each conversation sends one message after the other, the
 * next when the one before was accepted, so that its order is known; a request without a 2xx is repeated under the
 * same `Idempotency-Key`. One event stream per agent, resumed by `Last-Event-ID`, reports the replies.
 */
export class Load {
  readonly entries: Entry[] = [];
  readonly repeatedEvents: string[] = [];
  private readonly byId = new Map<string, Entry>();
  /** What streams sent before the sender knew the id of its own message. */
  private readonly early = new Map<string, ((entry: Entry) => void)[]>();
  private readonly streams: Following[] = [];
  readonly agentIds: string[] = [];
  private next = 0;
  private calls = 0;

  constructor(private readonly options: LoadOptions) {}

  /** Makes the agents and opens their streams. */
  async prepare(): Promise<void> {
    const { agents, models = [] } = this.options;
    for (let count = 0; count < agents; count += 1) {
      const model = models[count % models.length];
      const made = await this.api<{ id: string }>('POST', '/v1/agent/create', {
        name: `chaos-${count}`,
        ...(model === undefined ? {} : { configuration: { model } }),
      });
      if (made.status >= 300) throw new Error(`no agent: ${made.status} ${JSON.stringify(made.body)}`);
      this.agentIds.push(made.body.id);
    }
    const opened = new Set<string>();
    for (const agentId of this.agentIds) this.follow(agentId, () => opened.add(agentId));
    await until('all streams are open', () => opened.size === agents, { timeoutMs: 30_000 });
  }

  /** Sends for the whole duration; resolves when the last message was accepted or given up. */
  async run(startedAt: number): Promise<void> {
    const { conversationsPerAgent, messagesPerSecond, durationMs } = this.options;
    const senders = this.agentIds.flatMap((agentId) =>
      Array.from({ length: conversationsPerAgent }, (_, index) => ({ agentId, conversationId: `c${index}` })),
    );
    const everyMs = (1_000 * senders.length) / messagesPerSecond;
    await Promise.all(
      senders.map(async (sender, index) => {
        let dueAt = startedAt + (index / senders.length) * everyMs;
        for (; dueAt < startedAt + durationMs && !this.options.isStopped(); dueAt += everyMs) {
          if (dueAt > Date.now()) await sleep(dueAt - Date.now());
          await this.send(sender);
        }
      }),
    );
  }

  /** Waits until the streams have sent a reply, or an error, for every accepted message; at most `timeoutMs`. */
  async finish(timeoutMs: number): Promise<void> {
    const isOpen = ({ acceptedAt, answeredAt, failure }: Entry) =>
      acceptedAt !== undefined && answeredAt === undefined && failure === undefined;
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline && this.entries.some(isOpen);) await sleep(200);
  }

  /** All messages of every agent, in the order of the API. */
  async lists(): Promise<Map<string, Listed[]>> {
    const lists = new Map<string, Listed[]>();
    for (const agentId of this.agentIds) lists.set(agentId, await listAll(this.api, agentId));
    return lists;
  }

  get reconnects(): number {
    return this.streams.reduce((sum, stream) => sum + stream.reconnects, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.streams.map((stream) => stream.stop()));
  }

  private async send({ agentId, conversationId }: { agentId: string; conversationId: string }): Promise<void> {
    const n = this.next++;
    const key = randomUUID();
    const entry: Entry = { n, agentId, conversationId, tries: 0, answeredBy: new Set(), createdBy: new Set() };
    this.entries.push(entry);
    for (const giveUpAt = Date.now() + GIVE_UP_MS; Date.now() < giveUpAt && !this.options.isStopped();) {
      entry.tries += 1;
      try {
        const response = await fetch(`${this.nextUrl()}/v1/agent/${agentId}/messages`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${this.options.apiKey}`,
            'content-type': 'application/json',
            'idempotency-key': key,
          },
          body: JSON.stringify({ content: `message ${markOf(n)}`, conversation_id: conversationId }),
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        });
        const body = (await response.json()) as { id: string };
        if (response.status === 201) return this.accepted(entry, body.id);
      } catch {
        // Refused, cut or too late: whether it was stored is unknown, and the same key finds out.
      }
      await sleep(Math.min(100 * 2 ** Math.min(entry.tries, 4), 1_000));
    }
  }

  private accepted(entry: Entry, id: string): void {
    entry.id = id;
    entry.acceptedAt = Date.now();
    this.byId.set(id, entry);
    for (const note of this.early.get(id) ?? []) note(entry);
    this.early.delete(id);
  }

  private follow(agentId: string, onOpen: () => void): void {
    const seen = new Set<string>();
    const onEvent = ({
      id = '',
      type,
      data,
    }: {
      id: string | undefined;
      type: string;
      data: Record<string, unknown>;
    }) => {
      if (!/^message\.(created|completed|failed)$|^turn\.(started|interrupted)$/.test(type)) return;
      if (seen.has(id)) this.repeatedEvents.push(`${type} ${id}`);
      seen.add(id);
      const {
        message,
        messages = [],
        turn_id,
        error,
      } = data as {
        message?: { id: string };
        messages?: { id: string }[];
        turn_id?: string;
        error?: { code: string };
      };
      if (type === 'message.created' && message) this.note(message.id, (entry) => entry.createdBy.add(id));
      for (const { id: messageId } of type.startsWith('message.') ? messages : []) {
        this.note(messageId, (entry) => {
          if (type === 'message.failed') entry.failure = error?.code ?? 'an error';
          else {
            entry.answeredBy.add(turn_id ?? id);
            entry.answeredAt ??= Math.max(Date.now(), entry.acceptedAt ?? 0);
          }
        });
      }
    };
    const headers = { authorization: `Bearer ${this.options.apiKey}` };
    const url = () => `${this.nextUrl()}/v1/agent/${agentId}/events`;
    this.streams.push(followEvents(url, headers, onEvent, { onOpen }));
  }

  private readonly api: ApiClient = (...call) => apiClient(this.nextUrl(), this.options.apiKey)(...call);

  private nextUrl(): string {
    const { urls } = this.options;
    return urls[this.calls++ % urls.length] ?? '';
  }

  private note(messageId: string, write: (entry: Entry) => void): void {
    const entry = this.byId.get(messageId);
    if (entry) write(entry);
    else this.early.set(messageId, [...(this.early.get(messageId) ?? []), write]);
  }
}

async function listAll(api: ApiClient, agentId: string): Promise<Listed[]> {
  const all: Listed[] = [];
  for (let before: string | undefined; ;) {
    const query = before === undefined ? '' : `&before=${before}`;
    // The last fault may still be felt.
    const { body } = await until(
      'messages are listed',
      async () => {
        const path = `/v1/agent/${agentId}/messages?limit=100${query}`;
        const page = await api<{ messages: Listed[]; has_more: boolean }>('GET', path).catch(() => undefined);
        return page?.status === 200 && page;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
    all.unshift(...body.messages);
    before = body.messages[0]?.id;
    if (!body.has_more || before === undefined) return all;
  }
}
