import { Database } from '#lib/database';
import { type FreshDatabase, freshDatabase, until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimOf } from '../../test/claim-of.js';
import { lockEndpoint, updateEndpoint } from '../endpoints/endpoints.repository.js';
import { migrations } from '../migrations/index.js';
import { claimDeliveries, type ClaimedDelivery } from './claims.repository.js';
import { recordOutcomes } from './outcome-recorder.js';
import type { Outcome } from './send-delivery.js';

const [OLD, NEW] = ['http://old/', 'http://new/'];

describe("an endpoint's health", () => {
  let server: FreshDatabase;
  let database: Database;
  const [accountId, endpointId] = [randomUUID(), randomUUID()];

  beforeAll(async () => {
    server = await freshDatabase();
    database = await Database.open({ url: server.url, schema: 'webhooks', migrations, poolSize: 4 });
  });
  beforeEach(async () => {
    for (const table of ['deliveries', 'attempts', 'endpoints']) await database.query(`DELETE FROM ${table}`);
    await database.query(
      `INSERT INTO endpoints (id, account_id, source, url, events, sealed_secret) VALUES ($1, $2, 'account', $3, '{*}', 's')`,
      [endpointId, accountId, OLD],
    );
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  const claimed = async (): Promise<ClaimedDelivery> => {
    await database.query(
      `WITH event AS (INSERT INTO events (id, account_id, type, body) VALUES (gen_random_uuid(), $1, 'e', '{}') RETURNING id)
       INSERT INTO deliveries (account_id, endpoint_id, event_id, event_type) SELECT $1, $2, id, 'e' FROM event`,
      [accountId, endpointId],
    );
    return (await claimDeliveries(database, claimOf(1)))[0] as ClaimedDelivery;
  };
  const takenOver = async () => {
    const delivery = await claimed();
    await database.query(`UPDATE queue SET leased_until = now()`);
    await claimDeliveries(database, claimOf(1));
    return delivery;
  };
  /** As the owner does, with `meanwhile` before the commit. */
  const moveTo = (url: string, meanwhile = () => Promise.resolve()) =>
    database.transaction(async (tx) => {
      const { events, agent_ids: agentIds, description, enabled } = await lockEndpoint(tx, accountId, endpointId);
      await updateEndpoint(tx, endpointId, { url, events, agentIds, description, enabled });
      await meanwhile();
    });
  const record = (...outcomes: Outcome[]) => database.transaction((tx) => recordOutcomes(tx, outcomes));
  const isFailing = (since = 'now()') => database.query(`UPDATE endpoints SET failing_since = ${since}`);
  const health = async () =>
    (
      await database.query(
        `SELECT enabled, disabled_reason AS reason, failing_since IS NOT NULL AS "isFailing" FROM endpoints`,
      )
    )[0];

  const healthy = { enabled: true, reason: null, isFailing: false };
  const failing = { ...healthy, isFailing: true };

  it('is judged by what its receiver answers', async () => {
    await record(failed(await claimed()));
    expect(await health()).toEqual(failing);
    await record(gone(await claimed()), succeeded(await claimed()));
    expect(await health()).toEqual(healthy);
    await record(gone(await claimed()));
    expect(await health()).toEqual({ ...failing, enabled: false, reason: 'gone' });
  });

  const outcomes = [
    ['a failure', healthy, () => Promise.resolve(), failed],
    ['a success', failing, () => isFailing(), succeeded],
    ['a 410', healthy, () => Promise.resolve(), gone],
    ['a fifth day of failures', failing, () => isFailing(`now() - interval '121 hours'`), failed],
  ] as const;

  it.each(outcomes)('is not judged by %s of a try whose lease was taken over', async (_, expected, before, outcome) => {
    const delivery = await takenOver();
    await before();
    await record(outcome(delivery));
    expect(await health()).toEqual(expected);
  });

  it.each(outcomes)('is not judged by %s of a URL that it no longer has', async (_, expected, before, outcome) => {
    const delivery = await claimed();
    await moveTo(NEW);
    await before();
    await record(outcome(delivery));
    expect(await health()).toEqual(expected);
    await expect(database.query(`SELECT 1 FROM attempts`)).resolves.toHaveLength(1);
  });

  it('is judged by the new URL where outcomes of both are recorded together', async () => {
    const old = [await claimed(), await claimed()] as const;
    await moveTo(NEW);
    const present = [await claimed(), await claimed()] as const;
    await record(succeeded(old[0]), failed(present[0]));
    expect(await health()).toEqual(failing);
    await record(gone(old[1]), succeeded(present[1]));
    expect(await health()).toEqual(healthy);
  });

  it('waits for a change of the URL that is under way', async () => {
    const delivery = await claimed();
    let recorded: Promise<void> | undefined;
    await moveTo(NEW, async () => {
      recorded = record(gone(delivery));
      await until('the outcome waits', async () => {
        const waiting = await database.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
    });
    await recorded;
    expect(await health()).toEqual(healthy);
  });

  it('begins anew with another URL', async () => {
    await isFailing(`now() - interval '119 hours'`);
    await moveTo(OLD);
    expect(await health()).toEqual(failing);
    await moveTo(NEW);
    expect(await health()).toEqual(healthy);
  });
});

const tried = {
  retryInMs: 3_600_000,
  startedAt: new Date(),
  durationMs: 1,
  responseStatus: null,
  responseBody: '',
  error: null,
};
const failed = (delivery: ClaimedDelivery): Outcome => ({ ...tried, delivery, status: 'pending', isGone: false });
const gone = (delivery: ClaimedDelivery): Outcome => ({ ...failed(delivery), isGone: true });
const succeeded = (delivery: ClaimedDelivery): Outcome => ({ ...failed(delivery), status: 'succeeded' });
