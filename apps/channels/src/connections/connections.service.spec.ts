import type { Bus } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { freshDatabase, until } from '#lib/testing';
import { NO_TRACES } from '#lib/tracing';
import type { Content } from '#lib/workspace-client';
import { expect, it, vi } from 'vitest';
import type { ChannelAdapter } from '../adapters/channel-adapter.js';
import type { ReceiveMessageService } from '../inbound/receive-message.service.js';
import { migrations } from '../migrations/index.js';
import type { Bot, BotsService } from './bots.service.js';
import { ConnectionsService } from './connections.service.js';

it('keeps the connections of others while one cannot be made and another does not end', async () => {
  const server = await freshDatabase();
  const database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 4 });
  let end: () => void = () => undefined;
  const isOver = new Promise<void>((resolve) => (end = resolve));
  const connected: string[] = [];
  const adapter = {
    ...{ platform: 'telegram', isIdempotent: false, editEveryMs: 60_000 },
    connect({ token }: { token: string }) {
      if (token === 'broken') throw new Error('this token is no header');
      connected.push(token);
      return { close: () => (token === 'endless' ? isOver : Promise.resolve()), showTyping: () => Promise.resolve() };
    },
  } as unknown as ChannelAdapter;
  const bot = (botId: string, token: string): Bot => ({ adapter, botId, credentials: { token }, owners: [] });
  const bots = [bot('1', 'broken'), bot('2', 'endless'), bot('3', 'well')];
  const bus = {
    connection: { subscribe: () => ({ unsubscribe: () => undefined }), isClosed: () => false },
    tracer: NO_TRACES,
  } as unknown as Bus;
  const logged = vi.fn();
  const logger = { error: logged, warn: logged, debug: () => undefined } as unknown as Logger;
  const service = new ConnectionsService(
    bus,
    database,
    { all: () => bots, refresh: () => Promise.resolve() } as unknown as BotsService,
    {} as ReceiveMessageService,
    {} as Content,
    logger,
  );
  const expiryOf = async (botId: string) => {
    const [lease] = await database.query<{ at: Date }>(
      `SELECT expires_at AS at FROM connection_leases WHERE bot_id = $1`,
      [botId],
    );
    return lease?.at.getTime() ?? 0;
  };
  try {
    service.onApplicationBootstrap();
    await until('those that can be are connected', () => connected.length === 2);
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ botId: '1' }), 'a bot cannot be connected');
    bots[1] = bot('2', 'another');
    const before = await expiryOf('3');
    await until('the lease of the third is renewed twice', async () => (await expiryOf('3')) > before + 4_000);
    expect(connected).toEqual(['endless', 'well']);
    end();
    await until('the second is connected anew', () => connected.includes('another'));
  } finally {
    end();
    await service.beforeApplicationShutdown();
    await database.close();
    await server.drop();
  }
});
