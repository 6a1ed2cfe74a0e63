import { Database, newId } from '#lib/database';
import { createLogger } from '#lib/observability';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Bot, BotsService } from '../connections/bots.service.js';
import { takeLease } from '../connections/leases.repository.js';
import { migrations } from '../migrations/index.js';
import { Retention } from './retention.js';
import { UnconnectedBots } from './unconnected-bots.js';

describe('what waits for an end that does not come', () => {
  let server: FreshDatabase;
  let database: Database;
  const agentId = newId();
  const replies = { long: `msg_${newId()}`, half: `msg_${newId()}` };

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 2 });
    await takeLease(database, 'telegram', 'held', newId());
  });
  afterEach(async () => {
    for (const table of ['deliveries', 'outbox']) await database.query(`DELETE FROM ${table}`);
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  const plan = (
    body: string,
    more: { hours: number; botId?: string; turnId?: string; part?: number; state?: string },
  ) =>
    database.query(
      `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, reply_ids, state, card, created_at)
       VALUES ($1, $2, 'telegram', $3, '7', $4, $5, $6, $7, $8, $9, now() - $10 * interval '1 hour')`,
      [
        ...[newId(), agentId, more.botId ?? 'gone', more.turnId ?? newId(), more.part ?? 0, body],
        ...[body in replies ? [replies[body as keyof typeof replies]] : [], more.state ?? 'pending'],
        ...[body === 'question' ? { kind: 'ask', approvalId: newId(), route: 0 } : null, more.hours],
      ],
    );
  const states = async () => {
    const rows = await database.query<{ body: string; state: string }>(
      `SELECT body, state FROM deliveries ORDER BY id`,
    );
    return rows.map(({ body, state }) => `${body}: ${state}`);
  };
  const reported = async () => {
    const rows = await database.query<{ payload: { message_ids: string[]; reason: string } }>(
      `SELECT payload FROM outbox WHERE subject = 'events.channels.delivery.failed' ORDER BY id`,
    );
    return rows.map(({ payload }) => [...payload.message_ids, payload.reason]);
  };

  it('fails after a day, and is reported once, where nobody connects the bot', async () => {
    const turnId = newId();
    await plan('long', { hours: 26, turnId });
    await plan('long', { hours: 26, turnId, part: 1 });
    await plan('half', { hours: 25, state: 'sending' });
    await plan('question', { hours: 25, state: 'sending' });
    await plan('young', { hours: 23 });
    await plan('slow', { hours: 25, botId: 'held' });
    await plan('soon', { hours: 25, botId: 'known' });
    const known = { adapter: { platform: 'telegram' }, botId: 'known' } as Bot;
    const bots = { refresh: () => Promise.resolve(), all: () => [known] } as unknown as BotsService;
    await new UnconnectedBots(database, bots, createLogger('test', { ROOST_LOG_LEVEL: 'silent' })).sweep();
    expect(await states()).toEqual([
      ...['long: failed', 'long: failed', 'half: uncertain', 'question: failed', 'young: pending', 'slow: pending'],
      'soon: pending',
    ]);
    expect(await reported()).toEqual([
      [replies.long, 'the bot is not connected any more'],
      [replies.half, 'it may have been shown or not: the bot is not connected any more'],
    ]);
  });

  it('is a preview for a day at most', async () => {
    await plan('lost', { hours: 25, state: 'preview' });
    await plan('written', { hours: 23, state: 'preview' });
    await plan('shown', { hours: 25, state: 'done' });
    await new Retention(database).sweep();
    expect(await states()).toEqual(['written: preview', 'shown: done']);
  });
});
