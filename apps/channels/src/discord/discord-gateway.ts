import { CloseCodes, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws';
import type { REST } from '@discordjs/rest';
import { GatewayCloseCodes, type GatewayDispatchPayload, GatewayIntentBits } from 'discord-api-types/v10';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionMemory, ConnectionState } from '../adapters/channel-adapter.js';
import { rejectionOf } from './discord-outcome.js';
import { DiscordSessions } from './discord-sessions.js';

/** Messages only. What is written in servers is readable with the third, which must be switched on for the bot. */
const INTENTS = GatewayIntentBits.GuildMessages | GatewayIntentBits.DirectMessages | GatewayIntentBits.MessageContent;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];
const CLOSE_MS = 2_000;
/** A switch in the developer portal is looked at again so often; a day has a thousand session starts. */
const INTENTS_RETRY_MS = 300_000;

export interface GatewayEvents {
  /** Resolves when the event is safe; rejected, it is given again. */
  onDispatch(event: GatewayDispatchPayload): Promise<void>;
  onState(state: ConnectionState): void;
  onProblem(error: unknown): void;
}

/** Close codes that are permanent: https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-close-event-codes */
function refusalOf(code: number): string | undefined {
  switch (code as GatewayCloseCodes) {
    case GatewayCloseCodes.AuthenticationFailed:
      return 'Discord refuses the bot token (4004); set a new discord_bot_token';
    case GatewayCloseCodes.DisallowedIntents:
      return 'Discord refuses the connection (4014): switch on "Message Content Intent" on the Bot page of the application in the Discord developer portal';
    case GatewayCloseCodes.InvalidShard:
    case GatewayCloseCodes.ShardingRequired:
    case GatewayCloseCodes.InvalidAPIVersion:
    case GatewayCloseCodes.InvalidIntents:
      return `Discord refuses the connection (${code} ${GatewayCloseCodes[code]})`;
    default:
      return undefined;
  }
}

/** The gateway connection of one bot: identifies or resumes, reconnects by itself, gives events in order. */
export class DiscordGateway {
  private readonly stop = new AbortController();
  private readonly loop: Promise<void>;
  private url: string | undefined;
  private manager: WebSocketManager | undefined;
  private sessions: DiscordSessions | undefined;
  private events: Promise<void> = Promise.resolve();

  constructor(
    private readonly rest: REST,
    private readonly token: string,
    private readonly listeners: GatewayEvents,
    private readonly memory: ConnectionMemory | undefined,
    /** Called before the gateway is asked for; throws like any request. */
    private readonly prepare: () => Promise<void>,
  ) {
    this.loop = this.run().catch((error: unknown) => listeners.onProblem(error));
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.stop.signal.aborted; failures++) {
      try {
        await this.prepare();
        this.sessions ??= await DiscordSessions.load(this.memory, this.listeners.onProblem);
        const refused = await this.connect(this.sessions);
        if (refused === undefined) return;
        const isFinal = refused !== GatewayCloseCodes.DisallowedIntents;
        if (isFinal) return;
        failures = 0;
        await this.pause(INTENTS_RETRY_MS);
      } catch (error) {
        const reason = rejectionOf(error);
        if (reason !== undefined) {
          this.listeners.onState({ health: 'failed', reason });
          return;
        }
        if (failures === 0) this.listeners.onProblem(error);
        await this.pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 30_000);
      }
    }
  }

  /** Resolves with the close code when Discord refuses the connection, with undefined when we close it. */
  private async connect(sessions: DiscordSessions): Promise<number | undefined> {
    const manager = new WebSocketManager({
      token: this.token,
      intents: INTENTS,
      rest: this.rest,
      // Once we close, the SDK's own reconnecting is left waiting here for ever: no socket may come after that.
      retrieveSessionInfo: (shardId) =>
        this.stop.signal.aborted ? new Promise<never>(() => undefined) : sessions.retrieve(shardId, this.url),
      updateSessionInfo: (shardId, info) => sessions.update(shardId, info),
    });
    this.manager = manager;
    const { onState, onProblem } = this.listeners;
    const refused = new Promise<number>((resolve) => {
      manager.on(WebSocketShardEvents.Closed, ({ code }) => {
        if (this.stop.signal.aborted) return;
        const reason = refusalOf(code);
        if (reason === undefined) return onState({ health: 'connecting' });
        onState({ health: 'failed', reason });
        resolve(code);
      });
    });
    manager.on(WebSocketShardEvents.Ready, () => onState({ health: 'connected' }));
    manager.on(WebSocketShardEvents.Resumed, ({ shardId }) => {
      sessions.resumed(shardId);
      onState({ health: 'connected' });
    });
    manager.on(WebSocketShardEvents.Error, ({ error }) => onProblem(error));
    manager.on(WebSocketShardEvents.Dispatch, ({ data, shardId }) => this.take(sessions, shardId, data));
    this.url = (await manager.fetchGatewayInformation()).url;
    const closed = new Promise<undefined>((resolve) => {
      if (this.stop.signal.aborted) resolve(undefined);
      this.stop.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    if (this.stop.signal.aborted) return undefined;
    // Rejected when the first connection is refused, which the close code explains better.
    const connected = manager.connect().then(() => closed);
    const code = await Promise.race([refused, closed, connected.catch(() => undefined)]);
    if (code === undefined && !this.stop.signal.aborted) {
      const late = await Promise.race([refused, this.pause(1_000)]);
      await Promise.race([manager.destroy({ code: CloseCodes.Resuming }), this.pause(CLOSE_MS)]);
      if (late === undefined) throw new Error('the Discord gateway could not be reached');
      return late;
    }
    return code;
  }

  /** One event after the other; one that cannot be stored is tried again, and those behind it wait. */
  private take(sessions: DiscordSessions, shardId: number, event: GatewayDispatchPayload): void {
    sessions.begin(shardId, event.s);
    this.events = this.events.then(async () => {
      for (let failures = 0; !this.stop.signal.aborted; failures++) {
        try {
          await this.listeners.onDispatch(event);
          sessions.end(shardId, event.s);
          return;
        } catch (error) {
          this.listeners.onProblem(error);
          await this.pause(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 30_000);
        }
      }
    });
  }

  private async pause(ms: number): Promise<undefined> {
    await sleep(ms, undefined, { signal: this.stop.signal }).catch(() => undefined);
    return undefined;
  }

  /** Leaves the sessions open at Discord, for who connects next. */
  async close(): Promise<void> {
    this.stop.abort();
    this.sessions?.freeze();
    // A request in work may take long; what it would begin is not begun any more.
    await Promise.race([this.loop, sleep(CLOSE_MS, undefined, { ref: false })]);
    // A socket that is closed while it is being made is sometimes never reported as closed.
    const destroyed = this.manager?.destroy({ code: CloseCodes.Resuming });
    await Promise.race([destroyed, sleep(CLOSE_MS, undefined, { ref: false })]);
    await this.events;
    await this.sessions?.close();
  }
}
