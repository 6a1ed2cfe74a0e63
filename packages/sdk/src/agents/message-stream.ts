import type { AgentEvent, AgentEventOf } from '../events/agent-events.js';
import { follow } from '../events/follow.js';
import { NotFoundError } from '../transport/errors.js';
import type { CallOptions, Transport } from '../transport/transport.js';
import { MessageFailedError, type Reply, replyOf } from './reply.js';

/**
 * What happens to one message until it is settled: the last event is `message.completed`, `message.failed` or
 * `turn.interrupted`. Nothing is sent before it is read, and it can be read once. Leaving it early ends the
 * connection, not the agent's work. Its `text.delta` together are the reply, also over lost connections.
 */
export class MessageStream implements AsyncIterable<AgentEvent> {
  private isRead = false;

  /** @internal */
  constructor(
    private readonly transport: Transport,
    private readonly pathOf: (messageId: string | undefined) => string,
    private readonly send: () => Promise<{ id: string }>,
    private readonly options: CallOptions,
  ) {}

  /** Reads it to its end. Errors: MessageFailedError. */
  async reply(): Promise<Reply> {
    let id = '';
    for await (const event of this.events((messageId) => (id = messageId))) {
      if (event.type === 'message.completed') {
        const message = event.data.messages.find((one) => one.id === id);
        if (message) return replyOf(message, event.data.replies);
      }
      if (event.type === 'message.failed') throw new MessageFailedError(id, event.data.error);
      if (event.type === 'turn.interrupted') throw interrupted(id);
    }
    throw new NotFoundError({ code: 'NOT_FOUND', message: 'the agent was deleted', status: 404 });
  }

  /** The text of the reply as it is written; a turn that begins anew repeats itself. Errors: MessageFailedError. */
  async *text(): AsyncGenerator<string, void, undefined> {
    let id = '';
    for await (const event of this.events((messageId) => (id = messageId))) {
      if (event.type === 'text.delta') yield event.data.text;
      if (event.type === 'message.failed') throw new MessageFailedError(id, event.data.error);
      if (event.type === 'turn.interrupted') throw interrupted(id);
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<AgentEvent, void, undefined> {
    return this.events(() => undefined);
  }

  private async *events(onSent: (messageId: string) => void): AsyncGenerator<AgentEvent, void, undefined> {
    if (this.isRead) throw new TypeError('a stream can be read once: it sends its message when it is read');
    this.isRead = true;
    let messageId: string | undefined;
    const turns = new Set<string>();
    const text = new ShownText();
    const { transport, options } = this;
    // Listening begins before the message is sent: what happens to it at once is not missed.
    for await (const event of follow(transport, { ...options, path: () => this.pathOf(messageId) })) {
      if ('position' in event) {
        if (messageId !== undefined) continue;
        messageId = (await this.send()).id;
        onSent(messageId);
      } else if (messageId !== undefined && concerns(event, messageId, turns)) {
        if (event.type === 'message.completed') yield* text.completed(event.data);
        else text.add(event);
        yield event;
        if (ENDS.includes(event.type)) return;
      }
    }
  }
}

/**
 * The text that a reader has of the running turn. Deltas are not kept once their turn has ended: what a lost connection
 * took is given from the stored reply, which is the same text.
 */
class ShownText {
  private text = '';
  private lastSeq = -1;

  add(event: AgentEvent): void {
    if (event.type === 'turn.started' || event.type === 'turn.restarted') this.text = '';
    if (event.type === 'turn.started') this.lastSeq = -1;
    if (event.type === 'text.delta') this.text += event.data.text;
    if ('data' in event && hasSeq(event.data)) this.lastSeq = event.data.seq;
  }

  *completed({
    agent_id,
    turn_id,
    messages,
    replies,
  }: AgentEventOf<'message.completed'>['data']): Generator<AgentEvent> {
    const whole = replies.map(({ content }) => content).join('\n\n');
    const of = { agent_id, turn_id, message_id: messages.at(-1)?.id ?? '' };
    if (!whole.startsWith(this.text)) {
      this.text = '';
      yield { type: 'turn.restarted', data: { ...of, seq: (this.lastSeq += 1) } };
    }
    const rest = whole.slice(this.text.length);
    if (rest !== '') yield { type: 'text.delta', data: { ...of, seq: this.lastSeq + 1, text: rest } };
  }
}

const hasSeq = (data: unknown): data is { seq: number } => typeof data === 'object' && data !== null && 'seq' in data;

const ENDS: AgentEvent['type'][] = ['message.completed', 'message.failed', 'turn.interrupted', 'agent.deleted'];

const interrupted = (id: string) =>
  new MessageFailedError(id, { code: 'INTERRUPTED', message: 'the turn was interrupted before it was answered' });

/** The stream may hold events of other messages until it is connected again. Notes the message's turns. */
function concerns(event: AgentEvent, id: string, turns: Set<string>): boolean {
  switch (event.type) {
    case 'message.created':
      return event.data.message.id === id;
    case 'message.delivered':
      return event.data.message_id === id;
    case 'turn.started':
      if (!event.data.message_ids.includes(id)) return false;
      turns.add(event.data.turn_id);
      return true;
    case 'text.delta':
    case 'tool.call':
    case 'tool.result':
    case 'turn.restarted':
      return event.data.message_id === id || turns.has(event.data.turn_id);
    case 'approval.requested':
    case 'approval.decided':
    case 'approval.expired':
    case 'turn.interrupted':
      return event.data.message_ids.includes(id);
    case 'message.completed':
    case 'message.failed':
      return event.data.messages.some((message) => message.id === id);
    case 'agent.deleted':
      return true;
    default:
      return false;
  }
}
