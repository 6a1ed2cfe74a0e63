import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { type FreshDatabase, freshDatabase } from '#lib/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clockOffsetMs, clockSweep } from './clock.js';

const HOUR_MS = 3_600_000;

describe('the clock of a service', () => {
  let server: FreshDatabase;
  let database: Database;

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'clock', migrations: [], poolSize: 1 });
  });
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });
  afterEach(() => void vi.useRealTimers());

  const setClock = (aheadMs: number) => {
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadMs });
  };

  it('agrees with the database’s where both are set', async () => {
    expect(Math.abs(await clockOffsetMs(database))).toBeLessThan(1_000);
  });

  it.each([HOUR_MS, -HOUR_MS])('is off by %d ms', async (aheadMs) => {
    setClock(aheadMs);
    // A clock that stands still is off by what the question takes, too.
    expect(Math.abs((await clockOffsetMs(database)) - aheadMs)).toBeLessThan(60_000);
  });

  it('is reported when it goes wrong and when it is right again, once each', async () => {
    const logger = { warn: vi.fn(), info: vi.fn() };
    const sweep = clockSweep('messaging', database, logger as unknown as Logger);
    const run = () => sweep.run(new AbortController().signal);
    await run();
    expect(logger.warn).not.toHaveBeenCalled();
    setClock(HOUR_MS);
    await run();
    await run();
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith(
      { seconds: expect.any(Number) },
      expect.stringMatching(/^the clock here is 3[56]\d\d(\.\d)? s ahead of PostgreSQL's: /),
    );
    vi.useRealTimers();
    await run();
    expect(logger.info).toHaveBeenCalledTimes(1);
  });
});
