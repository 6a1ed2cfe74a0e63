import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type InboundMessage, DeliveryError } from '../adapters/channel-adapter.js';
import { migrations } from '../migrations/index.js';
import { storeInbound } from './inbound-events.repository.js';
import { InboundWorker } from './inbound-worker.js';

describe('what people sent', () => {
  let server: FreshDatabase;
  let database: Database;
  const handled: string[] = [];
  const givenUp: string[] = [];
  let tries = 0;

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'channels', migrations, poolSize: 2 });
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });
  beforeEach(() => {
    handled.length = givenUp.length = tries = 0;
  });

  /** Two messages of one chat, the first of which fails as told; until the second is handled. */
  const receive = async (botId: string, failing: (attempt: number) => Error | undefined) => {
    for (const text of ['first', 'second']) {
      const message: InboundMessage = {
        ...{ eventId: text, place: '7', isDirect: true, isAddressed: true, text, files: [] },
        sender: { id: '7', username: null, displayName: 'Ann' },
      };
      await storeInbound(database, 'telegram', botId, message, undefined);
    }
    const worker = new InboundWorker(
      database,
      { platform: 'telegram', botId },
      ({ message: { text } }) => {
        const error = text === 'first' ? failing((tries += 1)) : undefined;
        if (error) return Promise.reject(error);
        return Promise.resolve(void handled.push(text));
      },
      () => undefined,
      ({ message: { text } }) => Promise.resolve(void givenUp.push(text)),
    );
    await until('the second is handled', async () => {
      await database.query(`UPDATE inbound_events SET next_attempt_at = now() WHERE bot_id = $1`, [botId]);
      worker.runSoon();
      return handled.includes('second');
    });
    await worker.close();
  };

  it('is given up after ten failures of its own, and those behind it follow', async () => {
    await receive('1', () => new TypeError('broken'));
    expect([tries, givenUp, handled]).toEqual([10, ['first'], ['second']]);
  });

  it.each([
    ['a service that is away', new RoostError('SERVICE_UNAVAILABLE', 'away')],
    ['a platform that is away', new DeliveryError('retry', 'away')],
  ])('waits for %s as long as it takes, whatever else went wrong once', async (_, away) => {
    await receive(away.message + away.name, (attempt) => {
      if (attempt === 30) return new RoostError('INTERNAL', 'something went wrong on our side');
      return attempt < 40 ? away : undefined;
    });
    expect([tries, givenUp, handled]).toEqual([40, [], ['first', 'second']]);
  });
});
