import { RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import type { Lease } from '../connections/leases.repository.js';
import { migrations } from '../migrations/index.js';
import { LivePreview } from './live-preview.js';

describe('a reply that is shown as it is written', () => {
  let server: FreshDatabase;
  let database: Database;
  /** What the database does not do. */
  let away: RegExp | undefined;
  /** Its answer is lost: who sent it does not know that it is shown. */
  let isAnswerLost = false;
  let isIdempotent = false;
  const shown: string[] = [];
  const to = { accountId: newId(), agentId: newId(), place: '7' };
  const messageId = `msg_${newId()}`;
  const lease: Lease = { platform: 'telegram', botId: '1', holder: newId(), fence: '1' };

  const flaky = () =>
    new Proxy(database, {
      get(target, name) {
        if (name !== 'query') return Reflect.get(target, name) as unknown;
        return (sql: string, parameters?: unknown[]) =>
          away?.test(sql)
            ? Promise.reject(new RoostError('SERVICE_UNAVAILABLE', 'the database cannot be reached for now'))
            : target.query(sql, parameters);
      },
    });
  const connection = {
    send: (_place: string, text: string) => {
      const id = String(shown.push(text) - 1);
      return isAnswerLost ? Promise.reject(new DeliveryError('uncertain', 'no answer')) : Promise.resolve(id);
    },
    edit: (_place: string, id: string, text: string) => Promise.resolve(void (shown[Number(id)] = text)),
  } as unknown as Connection;
  const preview = (turnId: string, left?: LivePreview) => {
    const platform = { isIdempotent, format: (markdown: string) => (markdown ? [markdown] : []) };
    return new LivePreview(flaky(), lease, connection, to, { turnId, messageId }, platform, left);
  };
  const isOver = (turnId: string) =>
    database.query(`UPDATE deliveries SET state = 'done' WHERE turn_id = $1`, [turnId]);
  const says = (one: LivePreview, turnId: string, text: string, isAnew = false) => {
    const about = { turnId, messageId, agentId: to.agentId, seq: 0 };
    if (isAnew) one.add({ ...about, type: 'turn.restarted' } as never);
    one.add({ ...about, type: 'text.delta', text } as never);
  };

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 2 });
    await database.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, place) VALUES ($1, $2, $3, $4, $5, '7', '7')`,
      [newId(), to.accountId, to.agentId, lease.platform, lease.botId],
    );
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  it('is gone on with by the next attempt, also when the database was away just after it was shown', async () => {
    const [lost, next] = [newId(), newId()];
    const first = preview(lost);
    says(first, lost, 'The answer');
    away = /^UPDATE deliveries SET message_id/;
    await expect(first.flush()).rejects.toThrow('cannot be reached');
    expect(shown).toEqual(['The answer']);
    // Nothing new is written, and the worker is lost.
    await expect(first.flush()).rejects.toThrow('cannot be reached');
    away = undefined;
    await first.flush();
    const second = preview(next);
    says(second, next, 'The answer is 42.', true);
    await second.flush();
    expect(shown).toEqual(['The answer is 42.']);
    await isOver(next);
  });

  it('is gone on with by the next attempt to answer the same, though nobody said that it begins anew', async () => {
    shown.length = 0;
    const [lost, next] = [newId(), newId()];
    const first = preview(lost);
    says(first, lost, 'The answer');
    away = /^UPDATE deliveries SET message_id/;
    await expect(first.flush()).rejects.toThrow('cannot be reached');
    const second = preview(next, first);
    says(second, next, 'The answer is 42.');
    await expect(second.flush(), 'the other may not be found yet').rejects.toThrow('cannot be reached');
    away = undefined;
    expect(await second.flush()).toBe(true);
    expect(shown).toEqual(['The answer is 42.']);
    await isOver(next);
  });

  it('waits where another is shown whose end is not known here', async () => {
    shown.length = 0;
    const [before, next] = [newId(), newId()];
    const first = preview(before);
    says(first, before, 'One');
    await first.flush();
    const second = preview(next);
    says(second, next, 'Two');
    expect([await second.flush(), await second.flush(), shown.join()]).toEqual([true, true, 'One']);
    await isOver(before);
    expect(await second.flush()).toBe(true);
    expect(shown).toEqual(['One', 'Two']);
    await isOver(next);
  });

  it.each(['pending', 'sending'])('waits behind what another turn still has to show there: %s', async (state) => {
    shown.length = 0;
    const [before, next] = [newId(), newId()];
    for (const [place, turnId] of [
      ['8', newId()],
      ['7', before],
    ])
      await database.query(
        `INSERT INTO deliveries (account_id, agent_id, platform, bot_id, place, turn_id, part, body, state)
         VALUES ($1, $2, $3, $4, $5, $6, 1, 'its second part', $7)`,
        [to.accountId, to.agentId, lease.platform, lease.botId, place, turnId, state],
      );
    const one = preview(next);
    says(one, next, 'Two');
    expect([await one.flush(), await one.flush(), shown.join()]).toEqual([true, true, '']);
    await isOver(before);
    expect(await one.flush()).toBe(true);
    expect(shown).toEqual(['Two']);
    await isOver(next);
  });

  it('asks for nothing while the platform wants it to wait', async () => {
    const turnId = newId();
    const one = preview(turnId);
    says(one, turnId, 'Shown');
    await one.flush();
    let asked = 0;
    const { edit } = connection;
    connection.edit = () => Promise.reject(new DeliveryError('retry', `wait ${(asked += 1)}`, 60_000));
    says(one, turnId, ', and more');
    await expect(one.flush()).rejects.toThrow('wait 1');
    expect([await one.flush(), await one.flush(), asked]).toEqual([true, true, 1]);
    connection.edit = edit;
    await isOver(turnId);
  });

  it.each([false, true])(
    'goes on after a lost answer only where a repeated message shows nothing new: %s',
    async (knows) => {
      [shown.length, isAnswerLost, isIdempotent] = [0, true, knows];
      const turnId = newId();
      const one = preview(turnId);
      says(one, turnId, 'Shown');
      await expect(one.flush()).rejects.toThrow('no answer');
      isAnswerLost = false;
      says(one, turnId, ', and more');
      expect(await one.flush()).toBe(knows);
      expect(shown).toHaveLength(knows ? 2 : 1);
      await isOver(turnId);
    },
  );
});
