import { type Core, dataOf, idOf } from '../core.js';
import { type AgentEvent } from '../events/agent-events.js';
import { follow } from '../events/follow.js';
import {
  agentsBalance,
  agentsDelete,
  agentsGet,
  agentsPause,
  agentsReady,
  agentsResume,
  agentsSetStatus,
  agentsStop,
  agentsSummary,
  agentsUpdate,
  networkLog,
} from '../generated/sdk.gen.js';
import type {
  AgentsBalanceData,
  AgentsBalanceResponses,
  AgentsGetResponses,
  AgentsReadyResponses,
  AgentsSetStatusData,
  AgentsStopResponses,
  AgentsSummaryResponses,
  AgentsUpdateData,
  NetworkLogResponses,
} from '../generated/types.gen.js';
import { Schedules, Triggers } from '../automation.js';
import { Channels } from '../channels.js';
import { Files } from '../files/files.js';
import type { CallOptions } from '../transport/transport.js';
import { MessageStream } from './message-stream.js';
import { Messages, type NewMessage } from './messages.js';
import type { Reply } from './reply.js';
import { AgentPermissions } from './permissions.js';
import { Runs } from './runs.js';
import { AgentSecrets } from './secrets.js';
import { type ChangeOptions, ifMatch, Versions } from './versions.js';

export type AgentDetails = AgentsGetResponses[200];
export type AgentChange = AgentsUpdateData['body'];
export type AgentStatus = AgentDetails['status'];
export type NetworkLogEntry = NetworkLogResponses[200]['entries'][number];
/** Of a message that is sent as a text: all but the text. */
export type MessageOptions = Omit<NewMessage, 'content'> & CallOptions;

export interface EventsOptions extends CallOptions {
  /** The id of the last event you have; `'0'` begins with the oldest that is kept. Absent: what comes from now on. */
  after?: string | undefined;
  /** Only what concerns this message. */
  messageId?: string | undefined;
  /**
   * Called whenever a connection stands, with the id to go on `after`: from here on nothing is missed. What is read
   * after it is not older than it.
   */
  onOpen?: ((lastEventId: string) => void) | undefined;
}

/** One agent, by its id. Making it asks nothing of the server. */
export class Agent {
  readonly messages: Messages;
  readonly runs: Runs;
  readonly versions: Versions;
  readonly permissions: AgentPermissions;
  readonly secrets: AgentSecrets;
  readonly files: Files;
  readonly schedules: Schedules;
  readonly triggers: Triggers;
  readonly channels: Channels;

  /** @internal */
  constructor(
    private readonly core: Core,
    readonly id: string,
  ) {
    idOf(id, 'an agent');
    this.messages = new Messages(core, id);
    this.runs = new Runs(core, id);
    this.versions = new Versions(core, id);
    this.secrets = new AgentSecrets(core, id);
    this.permissions = new AgentPermissions(core, id);
    this.files = new Files(core, id);
    this.schedules = new Schedules(core, id);
    this.triggers = new Triggers(core, id);
    this.channels = new Channels(core, id);
  }

  /**
   * Sends a message and waits for its answer. Errors: MessageFailedError when it will not be answered; of a signal
   * that ends the wait: the message stays, and is answered.
   */
  async ask(content: string, options: MessageOptions = {}): Promise<Reply> {
    const { id } = await this.messages.send(...sendingOf(content, options));
    return this.messages.reply(id, { ...options, idempotencyKey: undefined });
  }

  /** Sends a message and follows what the agent does about it: `for await (const event of agent.stream('…'))`. */
  stream(content: string, options: MessageOptions = {}): MessageStream {
    const send = () => this.messages.send(...sendingOf(content, options));
    return new MessageStream(this.core.transport, (messageId) => this.eventsPath(messageId), send, options);
  }

  /**
   * What happens to the agent, without an end. Connects again by itself, and goes on where it was: nothing is missed or
   * given twice. An event `stream.gap` says that the one to go on after is older than what is kept (24 h).
   */
  async *events(options: EventsOptions = {}): AsyncGenerator<AgentEvent, void, undefined> {
    const { messageId, onOpen, ...rest } = options;
    const path = this.eventsPath(messageId);
    for await (const event of follow(this.core.transport, { ...rest, path: () => path })) {
      if ('type' in event) yield event;
      else onOpen?.(event.position);
    }
  }

  /**
   * Where the agent's events are now: read a list, then `events({ after })` from before the list was read. `'0'` when
   * there is none yet.
   */
  async lastEventId(options: CallOptions = {}): Promise<string> {
    const path = this.eventsPath(undefined);
    for await (const event of follow(this.core.transport, { ...options, path: () => path }))
      if ('position' in event) return event.position;
    return '0';
  }

  get(options?: CallOptions): Promise<AgentDetails> {
    return dataOf(agentsGet(this.call(options)));
  }

  /** Counts and tokens; never wakes the workspace. */
  summary(options?: CallOptions): Promise<AgentsSummaryResponses[200]> {
    return dataOf(agentsSummary(this.call(options)));
  }

  /** Whether a message that is sent now would be answered, and if not, why. */
  ready(options?: CallOptions): Promise<AgentsReadyResponses[200]> {
    return dataOf(agentsReady(this.call(options)));
  }

  /**
   * From the next turn on. Fields of `configuration` that are not named stay. With `ifVersion` it is refused when somebody
   * else has changed the agent since.
   */
  update(change: AgentChange, options?: ChangeOptions): Promise<AgentDetails> {
    return dataOf(agentsUpdate({ ...this.call(ifMatch(options)), body: change }));
  }

  /** With its files, messages, schedules and everything else, permanently. */
  delete(options?: CallOptions): Promise<{ message: string; id: string }> {
    return dataOf(agentsDelete(this.call(options)));
  }

  /** From whatever state: a stopped, paused or failed agent works again. */
  start(options?: CallOptions): Promise<AgentsStopResponses[200]> {
    return this.setStatus('active', options);
  }

  /** Cancels a turn in progress, whose messages wait; new ones are refused. */
  stop(options?: CallOptions): Promise<AgentsStopResponses[200]> {
    return dataOf(agentsStop(this.call(options)));
  }

  /** A turn in progress ends; messages wait until `resume`. */
  pause(options?: CallOptions): Promise<AgentsStopResponses[200]> {
    return dataOf(agentsPause(this.call(options)));
  }

  resume(options?: CallOptions): Promise<AgentsStopResponses[200]> {
    return dataOf(agentsResume(this.call(options)));
  }

  setStatus(status: AgentsSetStatusData['body']['status'], options?: CallOptions): Promise<AgentsStopResponses[200]> {
    return dataOf(agentsSetStatus({ ...this.call(options), body: { status } }));
  }

  /** Sets the output tokens that the agent may still spend, or changes them by `delta`. */
  setBalance(change: AgentsBalanceData['body'], options?: CallOptions): Promise<AgentsBalanceResponses[200]> {
    return dataOf(agentsBalance({ ...this.call(options), body: change }));
  }

  /** What the agent asked of the network, the newest first. */
  async networkLog(limit?: number, options?: CallOptions): Promise<NetworkLogEntry[]> {
    const query = limit === undefined ? {} : { limit };
    return (await dataOf(networkLog({ ...this.call(options), query }))).entries;
  }

  private call(options: CallOptions | undefined) {
    return { ...this.core.by(options), path: { id: this.id } };
  }

  private eventsPath(messageId: string | undefined): string {
    const query = messageId === undefined ? '' : `?message_id=${encodeURIComponent(messageId)}`;
    return `/v1/agent/${encodeURIComponent(this.id)}/events${query}`;
  }
}

/** Keeps apart what goes into the body and what is of the call. */
function sendingOf(content: string, options: MessageOptions): [NewMessage, CallOptions] {
  const { signal, idempotencyKey, timeoutMs, retryForMs, headers, ...message } = options;
  return [
    { content, ...message },
    { signal, idempotencyKey, timeoutMs, retryForMs, headers },
  ];
}
