import { Bus, LOGGER } from '#lib/bus';
import { Content } from '#lib/workspace-client';
import { LiveEvent } from '#lib/contracts';
import { apart, Database, newId } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Msg, Subscription } from '@nats-io/transport-node';
import { ReceiveMessageService } from '../inbound/receive-message.service.js';
import { DELIVER } from '../outbound/deliver-hint.js';
import { BotSession, type SessionServices } from './bot-session.js';
import { type Bot, BotsService } from './bots.service.js';
import { HeldLeases, isUsable } from './held-leases.js';
import { type Lease, RENEW_MS, takeLease } from './leases.repository.js';

/** A hint to every replica: bots have come, gone or got other tokens. */
export const BOTS_CHANGED = 'channels.bots.changed';
/** Carries what a platform posted to the replica that holds the bot's connection. */
export const holderSubject = (platform: string, botId: string) => `channels.held.${platform}.${botId}`;
export interface PostedToHolder {
  headers: Record<string, string>;
  bodyBase64: string;
}
const REFRESH_MS = 15_000;

/** Keeps one connection per bot over all replicas: a lease is taken before it, and given back after it has ended. */
@Injectable()
export class ConnectionsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly holder = newId();
  private readonly services: SessionServices;
  /** Also those of sessions that end: nobody else sends what they are sending. */
  private readonly leases: HeldLeases;
  private readonly sessions = new Map<string, BotSession>();
  /** By bot: sessions that end what they have in hand, which may take long. Their bots are connected anew after it. */
  private readonly ending = new Map<string, Promise<void>>();
  private readonly subscriptions: Subscription[] = [];
  private refreshedAt = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private round: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(
    private readonly bus: Bus,
    private readonly database: Database,
    private readonly bots: BotsService,
    receiver: ReceiveMessageService,
    content: Content,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.services = { database, receiver, content, logger, tracer: bus.tracer };
    this.leases = new HeldLeases(database, this.holder, (lease) => this.onLost(lease), logger);
  }

  onApplicationBootstrap(): void {
    const { connection } = this.bus;
    this.subscriptions.push(
      connection.subscribe(BOTS_CHANGED, { callback: () => this.reconcileSoon(true) }),
      connection.subscribe(DELIVER, { callback: (_, message) => this.onDeliver(message) }),
      connection.subscribe(holderSubject('*', '*'), { callback: (_, message) => this.onPosted(message) }),
      connection.subscribe('live.*', { callback: (_, message) => this.onLive(message) }),
    );
    this.leases.start();
    this.timer = setInterval(() => this.reconcileSoon(false), RENEW_MS);
    this.reconcileSoon(true);
  }

  private onDeliver(message: Msg): void {
    const { botId } = message.json<{ botId?: string }>();
    for (const session of this.sessions.values()) if (session.bot.botId === botId) session.deliver();
  }

  /** Only the replica with the connection answers; nobody in time is SERVICE_UNAVAILABLE for who asks. */
  private onPosted(message: Msg): void {
    const [, , platform, botId] = message.subject.split('.');
    const session = this.sessions.get(`${platform}:${botId}`);
    if (!session) return;
    const { headers, bodyBase64 } = message.json<PostedToHolder>();
    session.receive({ headers, body: Buffer.from(bodyBase64, 'base64') }).then(
      (answer) => answer && message.respond(JSON.stringify(answer)),
      (error: unknown) => this.logger.warn({ err: error }, 'what a platform posted could not be taken'),
    );
  }

  private onLive(message: Msg): void {
    if (this.sessions.size === 0) return;
    const event = LiveEvent.safeParse(message.json());
    if (event.success) for (const session of this.sessions.values()) session.onLive(event.data);
  }

  /** Compares the connections with the bots there are, one round after the other. */
  private reconcileSoon(mustRefresh: boolean): void {
    if (mustRefresh) this.refreshedAt = -Infinity;
    this.round = this.round.then(async () => {
      if (this.isStopped) return;
      await this.refreshIfOld();
      await this.reconcile().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'chat connections could not be looked after'),
      );
    });
  }

  private async refreshIfOld(): Promise<void> {
    if (performance.now() - this.refreshedAt < REFRESH_MS) return;
    await this.bots.refresh().then(
      () => (this.refreshedAt = performance.now()),
      (error: unknown) => this.logger.debug({ err: error }, 'bots cannot be asked for yet'),
    );
  }

  private async reconcile(): Promise<void> {
    const wanted = new Map(this.bots.all().map((bot) => [keyOf(bot), bot]));
    for (const [key, session] of this.sessions) {
      if (!isSameBot(wanted.get(key), session.bot)) this.endSoon(key);
    }
    for (const [key, bot] of wanted) {
      if (this.sessions.has(key) || this.ending.has(key)) continue;
      await apart(
        () => this.connect(key, bot),
        (error) =>
          this.logger.error(
            { err: error, platform: bot.adapter.platform, botId: bot.botId },
            'a bot cannot be connected',
          ),
      );
    }
  }

  /** Unless another replica has the bot, or may have it: the answer can take longer than the lease lasts. */
  private async connect(key: string, bot: Bot): Promise<void> {
    const askedAt = performance.now();
    const lease = await takeLease(this.database, bot.adapter.platform, bot.botId, this.holder);
    if (!lease || !isUsable(askedAt)) return;
    this.sessions.set(key, new BotSession(this.services, bot, lease));
    this.leases.keep(lease, askedAt);
  }

  private onLost(lease: Lease): void {
    for (const [key, session] of this.sessions) if (session.lease === lease) this.endSoon(key);
  }

  /** Nobody waits for it: a session that takes long to end holds up no other bot. */
  private endSoon(key: string): void {
    const ended = this.sessions.get(key);
    this.sessions.delete(key);
    if (!ended) return;
    const end = this.end(ended).finally(() => {
      this.ending.delete(key);
      this.reconcileSoon(false);
    });
    this.ending.set(key, end);
  }

  private async end(ended: BotSession): Promise<void> {
    await ended
      .close()
      .catch((error: unknown) => this.logger.warn({ err: error }, 'a chat connection did not end as it should'));
    await this.leases.release(ended.lease);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    for (const subscription of this.subscriptions) if (!this.bus.connection.isClosed()) subscription.unsubscribe();
    await this.round;
    for (const key of [...this.sessions.keys()]) this.endSoon(key);
    await Promise.all(this.ending.values());
    this.leases.stop();
  }
}

/** With other credentials the connection is made anew. */
function isSameBot(wanted: Bot | undefined, running: Bot): boolean {
  return JSON.stringify(wanted?.credentials) === JSON.stringify(running.credentials);
}

const keyOf = ({ adapter, botId }: Bot) => `${adapter.platform}:${botId}`;
