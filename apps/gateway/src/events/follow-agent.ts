import { Bus, type CallContext } from '#lib/bus';
import { agentStatusChanged, listAgentEvents, LiveEvent, liveSubject } from '#lib/contracts';
import type { Msg, Subscription } from '@nats-io/transport-node';
import type { EventStream } from './event-streams.js';

interface Wanted {
  agentId: string;
  messageId: string | undefined;
  /** The last durable event the reader has seen. */
  afterEventId: string | undefined;
}

interface Payload {
  agent_id?: string;
  account_id?: string;
  message_ids?: string[];
  messages?: { id: string }[];
  message?: { id: string; reply_to_id?: string | null };
  [key: string]: unknown;
}

const LOOK_AGAIN_MS = 15_000;

/**
 * Carries an agent's events to one reader. Durable events come from messaging's rows in their order, so none is
 * missing; what passes on the bus is only the hint to look. Deltas are passed on as they come and carry the id of the
 * durable event before them, which is where a reader resumes.
 */
export class FollowAgent {
  private readonly subscriptions: Subscription[] = [];
  private position: string | undefined;
  private looking = false;
  private lookAgain = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly context: CallContext,
    private readonly stream: EventStream,
    private readonly wanted: Wanted,
  ) {
    this.position = wanted.afterEventId;
  }

  start(): void {
    this.listen('events.messaging.>', (message) => this.hint(message));
    this.listen(agentStatusChanged.subject, (message) => this.status(message));
    this.listen(liveSubject(this.wanted.agentId), (message) => this.delta(message));
    this.timer = setInterval(() => this.look(), LOOK_AGAIN_MS).unref();
    this.look();
  }

  stop(): void {
    clearInterval(this.timer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
  }

  private listen(subject: string, hear: (message: Msg) => void): void {
    this.subscriptions.push(
      this.bus.connection.subscribe(subject, {
        callback: (error, message) => {
          if (!error) hear(message);
        },
      }),
    );
  }

  private hint(message: Msg): void {
    const payload = message.json<Payload>();
    if (payload.agent_id !== this.wanted.agentId) return;
    const id = message.headers?.get('roost-event-id');
    // The agent's first event: there is none before it to ask after.
    if (this.position === undefined && id) this.tell(message.subject, id, payload);
    else this.look();
  }

  private status(message: Msg): void {
    const { account_id: _, ...payload } = message.json<Payload>();
    if (payload.agent_id === this.wanted.agentId && !this.wanted.messageId)
      this.stream.send('agent.status', this.position, payload);
  }

  private delta(message: Msg): void {
    const parsed = LiveEvent.safeParse(message.json());
    if (!parsed.success) return;
    const { type, turnId, seq, messageId } = parsed.data;
    if (this.wanted.messageId && this.wanted.messageId !== messageId) return;
    this.stream.send(type, `${this.position ?? ''}/${turnId}:${seq}`, message.json());
  }

  /** Sends the durable events that came since; one look at a time, another one if asked for meanwhile. */
  private look(): void {
    if (this.looking) this.lookAgain = true;
    else void this.catchUp();
  }

  private async catchUp(): Promise<void> {
    this.looking = true;
    try {
      let hasMore = this.position !== undefined;
      while ((hasMore || this.lookAgain) && this.position !== undefined && this.stream.isOpen) {
        this.lookAgain = false;
        const found = await this.bus.request(
          listAgentEvents,
          { agentId: this.wanted.agentId, afterEventId: this.position, limit: 100 },
          { ...this.context, deadline: Date.now() + 10_000 },
        );
        for (const event of found.events) this.tell(event.subject, event.id, event.payload as Payload);
        hasMore = found.hasMore;
      }
    } catch {
      // Messaging is away, or the agent is gone: the reader comes back with Last-Event-ID and is told then.
      this.stream.end();
    } finally {
      this.looking = false;
    }
  }

  private tell(subject: string, id: string, { account_id: _, ...payload }: Payload): void {
    this.position = id;
    const concerned = messagesOf(payload);
    if (this.wanted.messageId && !concerned.includes(this.wanted.messageId)) return;
    const type = subject.replace(/^events\.messaging\./, '');
    if (type === 'turn.started')
      for (const messageId of concerned)
        this.stream.send('message.delivered', id, { agent_id: payload.agent_id, message_id: messageId });
    this.stream.send(type, id, payload);
  }
}

function messagesOf({ message, messages = [], message_ids = [] }: Payload): string[] {
  const own = message ? [message.id, ...(message.reply_to_id ? [message.reply_to_id] : [])] : [];
  return [...own, ...message_ids, ...messages.map(({ id }) => id)];
}
