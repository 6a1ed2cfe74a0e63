import { type RawFile, REST } from '@discordjs/rest';
import {
  type APIApplicationCommand,
  type APIInteraction,
  type APIMessage,
  type APIUser,
  AllowedMentionsTypes,
  GatewayDispatchEvents,
  type GatewayDispatchPayload,
  InteractionResponseType,
  MessageFlags,
  type RESTPostAPIChannelMessageJSONBody,
  Routes,
} from 'discord-api-types/v10';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ReadableStream } from 'node:stream/web';
import {
  type Connection,
  type ConnectionEvents,
  DeliveryError,
  type InboundFile,
  type InboundMessage,
  type OutboundFile,
  type SendKey,
} from '../adapters/channel-adapter.js';
import { readEvent } from '../adapters/read-event.js';
import { componentsOf, pressOf } from './discord-buttons.js';
import { COMMANDS, isRegistered } from './discord-commands.js';
import { DiscordGateway } from './discord-gateway.js';
import { channelOf, commandOf, inboundOf } from './discord-message.js';
import { OwnRoles } from './own-roles.js';
import { ThreadParents } from './thread-parents.js';
import { deliveryErrorOf, retryAfterMsOf } from './discord-outcome.js';

const CALL_TIMEOUT_MS = 15_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;
/** Longer waits are left to the caller, so that one busy channel does not hold up the others. */
const MAX_WAIT_MS = 2_000;

/** How long a nonce is surely remembered ("the past few minutes"), and how far clocks may be apart. */
const NONCE_MS = 120_000;
const CLOCKS_MS = 5_000;
/** Ids begin with the milliseconds since then: https://docs.discord.com/developers/reference#snowflakes */
const DISCORD_EPOCH = 1_420_070_400_000n;

/** One bot on Discord: the gateway for what people write, the HTTP API for what they are shown. */
export class DiscordConnection implements Connection {
  private readonly rest: REST;
  private readonly gateway: DiscordGateway;
  /** Until when Discord takes no more, by the kind of request and its channel. */
  private readonly paused = new Map<string, number>();
  private readonly parents: ThreadParents;
  private readonly ownRoles: OwnRoles;
  /** By their tokens, interactions that are being acknowledged: Discord takes no answer to them before. */
  private readonly acknowledging = new Map<string, Promise<void>>();
  private me = '';
  private hasCommands = false;

  constructor(
    private readonly apiUrl: string,
    token: string,
    private readonly events: ConnectionEvents,
  ) {
    this.rest = new REST({
      api: apiUrl,
      version: '10',
      timeout: CALL_TIMEOUT_MS,
      retries: 2,
      rejectOnRateLimit: ({ timeToReset, retryAfter, sublimitTimeout }) =>
        Math.max(timeToReset, retryAfter, sublimitTimeout) > MAX_WAIT_MS,
    }).setToken(token);
    this.parents = new ThreadParents(this.rest);
    this.ownRoles = new OwnRoles(this.rest);
    this.gateway = new DiscordGateway(
      this.rest,
      token,
      {
        onDispatch: (event) => this.onDispatch(event),
        onState: (state) => events.onState(state),
        onProblem: () => undefined,
      },
      events.memory,
      () => this.prepare(),
    );
  }

  /** Who we are: known from a new session, but not from one that is resumed. */
  private async prepare(): Promise<void> {
    const { id } = (await this.rest.get(Routes.user())) as APIUser;
    this.me = id;
    if (this.hasCommands) return;
    const application = (await this.rest.get(Routes.currentApplication())) as { id: string };
    const known = (await this.rest.get(Routes.applicationCommands(application.id))) as APIApplicationCommand[];
    if (!isRegistered(known)) await this.rest.put(Routes.applicationCommands(application.id), { body: COMMANDS });
    this.hasCommands = true;
  }

  private async onDispatch(event: GatewayDispatchPayload): Promise<void> {
    if (event.t === GatewayDispatchEvents.MessageCreate) {
      const { d: sent } = event;
      const server = readEvent(() => (sent.mention_roles.length > 0 ? sent.guild_id : undefined), this.events);
      const ownRole = server === undefined ? undefined : await this.ownRoles.in(server, this.me);
      const message = readEvent(() => inboundOf(sent, this.me, ownRole), this.events);
      if (!message) return;
      await this.events.onMessage(message);
      if (!message.isDirect && message.isAddressed) void this.parents.learn(message.place).catch(deliveryErrorOf);
    }
    if (event.t === GatewayDispatchEvents.InteractionCreate) {
      const { d: sent } = event;
      const press = readEvent(() => pressOf(sent), this.events);
      if (press) return this.takeInteraction(press, sent, { type: InteractionResponseType.DeferredMessageUpdate });
      const command = readEvent(() => commandOf(sent), this.events);
      if (!command) return;
      // In a server only who asked sees the answer.
      const data = command.isDirect ? {} : { flags: MessageFlags.Ephemeral as const };
      const isForAgent = command.text === '/stop';
      const body = isForAgent
        ? {
            type: InteractionResponseType.ChannelMessageWithSource,
            data: { ...data, content: 'I am telling the agent.' },
          }
        : { type: InteractionResponseType.DeferredChannelMessageWithSource, data };
      await this.takeInteraction(command, sent, body);
    }
  }

  /** Stores and acknowledges it, for which Discord waits three seconds. */
  private async takeInteraction(message: InboundMessage, { id, token }: APIInteraction, body: object): Promise<void> {
    let end: () => void = () => undefined;
    // Begun before it is stored: from then on it is answered.
    this.acknowledging.set(token, new Promise((resolve) => (end = resolve)));
    const finish = () => {
      this.acknowledging.delete(token);
      end();
    };
    await this.events.onMessage(message).catch((error: unknown) => {
      finish();
      throw error;
    });
    // One that was given twice, or late, is acknowledged already or never: it is carried out all the same, once.
    void this.rest
      .post(Routes.interactionCallback(id, token), { body, auth: false })
      .catch(deliveryErrorOf)
      .finally(finish);
  }

  async send(place: string, part: string, key: SendKey): Promise<string> {
    const shown = await this.findShown(place, key, ({ content }) => content === part.trim());
    const components = key.buttons ? { components: componentsOf(key.buttons) } : {};
    return shown ?? this.post(place, { content: part, ...components }, key.key);
  }

  async sendFile(place: string, file: OutboundFile, key: SendKey): Promise<string> {
    const shown = await this.findShown(
      place,
      key,
      ({ attachments: [attached] }) => attached?.filename === file.name && attached.size === file.sizeBytes,
    );
    return shown ?? this.post(place, {}, key.key, [{ name: file.name, data: await buffer(file.bytes) }]);
  }

  /** Discord remembers a nonce for a few minutes only: after that we read what the channel shows since. */
  private async findShown(
    place: string,
    { isRepeat, since }: SendKey,
    isIt: (message: APIMessage) => boolean,
  ): Promise<string | undefined> {
    if (!isRepeat || since === undefined || Date.now() - since.getTime() < NONCE_MS) return undefined;
    const channel = channelOf(place);
    const after = String((BigInt(since.getTime() - CLOCKS_MS) - DISCORD_EPOCH) << 22n);
    const query = new URLSearchParams({ after, limit: '100' });
    const messages = (await this.call(`get ${channel}`, () =>
      this.rest.get(Routes.channelMessages(channel), { query }),
    )) as APIMessage[];
    return messages.find((message) => message.author.id === this.me && isIt(message))?.id;
  }

  private async post(
    place: string,
    body: RESTPostAPIChannelMessageJSONBody,
    key: string,
    files?: RawFile[],
  ): Promise<string> {
    const channel = channelOf(place);
    const whole = { ...body, allowed_mentions: NO_PINGS, nonce: nonceOf(key), enforce_nonce: true };
    const { id } = (await this.call(`post ${channel}`, () =>
      this.rest.post(Routes.channelMessages(channel), { body: whole, ...(files ? { files } : {}) }),
    )) as APIMessage;
    return id;
  }

  async edit(place: string, messageId: string, part: string, _?: boolean, isCard?: boolean): Promise<void> {
    const channel = channelOf(place);
    await this.call(`patch ${channel}`, () =>
      this.rest.patch(Routes.channelMessage(channel, messageId), {
        body: { content: part, allowed_mentions: NO_PINGS, ...(isCard ? { components: [] } : {}) },
      }),
    );
  }

  withoutThread(place: string): Promise<string | undefined> {
    return Promise.resolve(this.parents.of(place));
  }

  /** The answer takes the place of "thinking": there is one, since commands are answered briefly. */
  async answer(answerTo: string, part: string): Promise<void> {
    const [application = '', token = '', isPress] = answerTo.split('/');
    await this.acknowledging.get(token);
    // The original response to a press is the card itself: the answer comes beside it, seen by who pressed alone.
    if (isPress !== undefined) {
      const body = { content: part, allowed_mentions: NO_PINGS, flags: MessageFlags.Ephemeral };
      await this.call('answer', () => this.rest.post(Routes.webhook(application, token), { body, auth: false }));
      return;
    }
    await this.call('answer', () =>
      this.rest.patch(Routes.webhookMessage(application, token), {
        body: { content: part, allowed_mentions: NO_PINGS },
        auth: false,
      }),
    );
  }

  async showTyping(place: string): Promise<void> {
    const channel = channelOf(place);
    await this.call(`typing ${channel}`, () => this.rest.post(Routes.channelTyping(channel)));
  }

  /** Attachment addresses expire: the message is asked for a fresh one. */
  async download({ reference }: InboundFile): Promise<Readable> {
    const [channel = '', messageId = '', id = ''] = reference.split('/');
    const message = (await this.call(`get ${channel}`, () =>
      this.rest.get(Routes.channelMessage(channel, messageId)),
    )) as APIMessage;
    const all = [...message.attachments, ...(message.message_snapshots?.[0]?.message.attachments ?? [])];
    const url = all.find((attachment) => attachment.id === id)?.url;
    if (!url || !this.isDiscords(new URL(url))) throw new DeliveryError('failed', 'the file is not there any more');
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) }).catch(
      (error: unknown) => Promise.reject(deliveryErrorOf(error)),
    );
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      const outcome = response.status >= 500 || response.status === 429 ? 'retry' : 'failed';
      throw new DeliveryError(outcome, `the file cannot be fetched (${response.status})`);
    }
    return Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  }

  private isDiscords({ protocol, hostname, origin }: URL): boolean {
    if (origin === new URL(this.apiUrl).origin) return true;
    return protocol === 'https:' && /\.(discordapp\.com|discordapp\.net|discord\.com)$/.test(`.${hostname}`);
  }

  private async call<T>(kind: string, work: () => Promise<T>): Promise<T> {
    const waitMs = (this.paused.get(kind) ?? 0) - performance.now();
    if (waitMs > 0) throw new DeliveryError('retry', 'Discord limits the rate', waitMs);
    try {
      return await work();
    } catch (error) {
      const retryAfterMs = retryAfterMsOf(error);
      if (retryAfterMs !== undefined) this.pause(kind, performance.now() + retryAfterMs);
      throw deliveryErrorOf(error);
    }
  }

  private pause(kind: string, until: number): void {
    for (const [known, end] of this.paused) if (end < performance.now()) this.paused.delete(known);
    this.paused.set(kind, until);
  }

  async close(): Promise<void> {
    await this.gateway.close();
    this.rest.clearHashSweeper();
    this.rest.clearHandlerSweeper();
  }
}

/** What an agent writes must not ring for everybody on a server. */
const NO_PINGS: { parse: AllowedMentionsTypes[] } = { parse: [] };

/** At most 25 characters: https://docs.discord.com/developers/resources/message#create-message */
function nonceOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 24);
}
