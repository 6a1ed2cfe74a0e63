import { RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { freshDatabase, until } from '#lib/testing';
import { NO_TRACES } from '#lib/tracing';
import { afterEach, expect, it, vi } from 'vitest';
import type { ChannelAdapter, ConnectionEvents } from '../adapters/channel-adapter.js';
import { migrations } from '../migrations/index.js';
import { planPart } from '../outbound/deliveries.repository.js';
import { BotSession, type SessionServices } from './bot-session.js';
import { takeLease } from './leases.repository.js';

afterEach(() => void vi.useRealTimers());

it('edits the reply into its preview, though the database was away as it was to note which message that is', async () => {
  // Rounds are begun by the test.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const editEveryMs = 1_000;
  const server = await freshDatabase();
  const database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 2 });
  const [accountId, agentId, turnId, messageId] = [newId(), newId(), newId(), `msg_${newId()}`];
  const to = { platform: 'telegram', botId: '1', place: '7' } as const;
  const shown: string[] = [];
  let isAway = true;
  const noted = vi.fn();
  vi.spyOn(database, 'query').mockImplementation(async function (this: Database, sql, parameters) {
    if (sql.startsWith('UPDATE deliveries SET message_id')) {
      noted();
      if (isAway) throw new RoostError('SERVICE_UNAVAILABLE', 'the database cannot be reached for now');
    }
    return Database.prototype.query.call(database, sql, parameters) as never;
  });
  await database.query(
    `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place) VALUES ($1, $2, $3, 'telegram', '1', '7', '7')`,
    [newId(), accountId, agentId],
  );
  let events: ConnectionEvents | undefined;
  const connection = {
    send: (_place: string, text: string) => Promise.resolve(String(shown.push(text) - 1)),
    edit: (_place: string, id: string, text: string) => Promise.resolve(void (shown[Number(id)] = text)),
    showTyping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const adapter = {
    ...{ platform: 'telegram', isIdempotent: false, editEveryMs },
    ...{ isGroup: () => false, chatOf: (place: string) => place, format: (text: string) => (text ? [text] : []) },
    connect: (_credentials: unknown, given: ConnectionEvents) => ((events = given), connection),
  } as unknown as ChannelAdapter;
  const receive = vi.fn(() => Promise.resolve({ queued: { messageId, accountId, agentId } }));
  const lease = await takeLease(database, 'telegram', '1', newId());
  if (!lease) throw new Error('another test has the lease');
  const services = {
    ...{ database, receiver: { receive }, content: {}, tracer: NO_TRACES },
    logger: { warn: () => undefined, debug: () => undefined },
  } as unknown as SessionServices;
  const session = new BotSession(services, { adapter, botId: '1', credentials: { token: 't' }, owners: [] }, lease);
  try {
    const person = { id: '7', username: null, name: 'Ann' };
    await events?.onMessage({ eventId: '1', place: '7', text: 'hello', files: [], isAddressed: true, person } as never);
    const live = { type: 'text.delta', agentId, turnId, messageId, seq: 0 } as const;
    await until('it is begun', () => {
      session.onLive({ ...live, text: 'The ' } as never);
      vi.advanceTimersByTime(editEveryMs);
      return noted.mock.calls.length > 0;
    });
    const reply = { part: 0, body: 'The answer.', path: null, replyIds: [] };
    await database.transaction((tx) => planPart(tx, { ...to, accountId, agentId, turnId, ...reply }));
    isAway = false;
    session.deliver();
    await until('it is done', async () => {
      const [row] = await database.query<{ state: string }>(`SELECT state FROM deliveries`);
      return row?.state === 'done';
    });
    expect(shown).toEqual(['The answer.']);
  } finally {
    await session.close();
    await database.close();
    await server.drop();
  }
});
