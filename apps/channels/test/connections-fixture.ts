import type { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { deferred, freshDatabase, until } from '#lib/testing';
import { NO_TRACES } from '#lib/tracing';
import type { Content } from '#lib/workspace-client';
import { vi } from 'vitest';
import type { ChannelAdapter } from '../src/adapters/channel-adapter.js';
import type { Bot, BotsService } from '../src/connections/bots.service.js';
import { ConnectionsService } from '../src/connections/connections.service.js';
import type { ReceiveMessageService } from '../src/inbound/receive-message.service.js';
import { migrations } from '../src/migrations/index.js';

/** The connections of one or more replicas to a platform that says nothing, over a real database. */
export class ConnectionsFixture {
  readonly bots: Bot[] = [];
  readonly logged = vi.fn();
  /** Tokens, in the order in which they were connected and disconnected. */
  readonly connected: string[] = [];
  readonly disconnected: string[] = [];
  private readonly replicas: { service: ConnectionsService; database: Database }[] = [];
  private readonly sending = deferred();

  private constructor(
    private readonly server: Awaited<ReturnType<typeof freshDatabase>>,
    readonly rows: Database,
  ) {}

  static async open(): Promise<ConnectionsFixture> {
    const server = await freshDatabase();
    return new ConnectionsFixture(server, await openDatabase(server.url));
  }

  /** A connection with the token `broken` cannot be made; one that is `sending` ends when `finishSending` is called. */
  bot(botId: string, token: string): Bot {
    const adapter = {
      ...{ platform: 'telegram', isIdempotent: false, editEveryMs: 60_000 },
      connect: () => {
        if (token === 'broken') throw new Error('this token is no header');
        this.connected.push(token);
        const close = async () => {
          this.disconnected.push(token);
          if (token === 'sending') await this.sending.promise;
        };
        return { close, showTyping: () => Promise.resolve() };
      },
    } as unknown as ChannelAdapter;
    return { adapter, botId, credentials: { token }, owners: [] };
  }

  finishSending(): void {
    this.sending.resolve();
  }

  /** Its database is its own, for what befalls one replica alone. */
  async startReplica(): Promise<{ service: ConnectionsService; database: Database }> {
    const database = await openDatabase(this.server.url);
    const bus = {
      connection: { subscribe: () => ({ unsubscribe: () => undefined }), isClosed: () => false },
      tracer: NO_TRACES,
    } as unknown as Bus;
    const service = new ConnectionsService(
      bus,
      database,
      { all: () => this.bots, refresh: () => Promise.resolve() } as unknown as BotsService,
      {} as ReceiveMessageService,
      {} as Content,
      { error: this.logged, warn: this.logged, debug: () => undefined } as unknown as Logger,
    );
    const replica = { service, database };
    this.replicas.push(replica);
    service.onApplicationBootstrap();
    return replica;
  }

  /** When its lease is over and which time it is, in ms by the database's clock. */
  async leaseOf(botId: string): Promise<{ expiresAt: number; now: number }> {
    const [lease] = await this.rows.query<{ expiresAt: number; now: number }>(
      `SELECT extract(epoch FROM expires_at)::float8 * 1000 AS "expiresAt",
         extract(epoch FROM clock_timestamp())::float8 * 1000 AS now
         FROM connection_leases WHERE bot_id = $1`,
      [botId],
    );
    return lease ?? { expiresAt: -Infinity, now: Date.now() };
  }

  /** Resolves when its lease is renewed from now on, and again. Errors: when it is not within 20 s. */
  async renewedTwice(botId: string): Promise<void> {
    for (let renewals = 0; renewals < 2; renewals += 1) {
      const before = (await this.leaseOf(botId)).expiresAt;
      const isRenewed = async () => (await this.leaseOf(botId)).expiresAt > before;
      await until(`the lease of bot ${botId} is renewed`, isRenewed, { timeoutMs: 20_000 });
    }
  }

  /** How often the bot was taken, of which a renewal is none. */
  async fences(): Promise<string[]> {
    const leases = await this.rows.query<{ fence: string }>(`SELECT fence FROM connection_leases ORDER BY bot_id`);
    return leases.map(({ fence }) => fence);
  }

  async close(): Promise<void> {
    this.finishSending();
    for (const { service, database } of this.replicas) {
      await service.beforeApplicationShutdown();
      await database.close();
    }
    await this.rows.close();
    await this.server.drop();
  }
}

const openDatabase = (url: string) => Database.open({ url, schema: 'channels', migrations, poolSize: 4 });
