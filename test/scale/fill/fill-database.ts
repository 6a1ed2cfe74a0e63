import { keyringOf, Sealer } from '#lib/auth';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { RECEIVER_URL, startScaled, withClient, withPostgres } from '../scaled-roost.js';
import { dropIndexes, makeIndexes } from './indexes.js';
import type { Sizes } from './sizes.js';
import { type Filling, steps } from './steps.js';

/** For the session that fills: rows are made by sorts and joins of all of them. */
const SETTINGS = `
  SET synchronous_commit = off;
  SET session_replication_role = replica;
  SET work_mem = '256MB';
  SET maintenance_work_mem = '1GB';
  SET jit = off`;

/**
 * Fills the data folder of a Roost with rows as its services would have written them. What a run that was ended had done
 * is not done again. Errors: when it was filled with other sizes.
 */
export async function fillDatabase(dataDir: string, sizes: Sizes, log: (line: string) => void): Promise<void> {
  if (!existsSync(join(dataDir, 'scale-sample'))) await makeSample(dataDir);
  const secrets = readFileSync(join(dataDir, 'scale-sample'), 'utf8');
  await withPostgres(dataDir, (url) =>
    withClient(url, async (database) => {
      await database.query(`CREATE SCHEMA IF NOT EXISTS scale`);
      await database.query(
        `CREATE TABLE IF NOT EXISTS scale.done (step text PRIMARY KEY, seconds float8 NOT NULL, sizes text NOT NULL)`,
      );
      const { rows } = await database.query<{ step: string; sizes: string }>(`SELECT step, sizes FROM scale.done`);
      const done = new Set(rows.map(({ step }) => step));
      if (rows.some((row) => row.sizes !== JSON.stringify(sizes)))
        throw new Error(`${dataDir} is filled with other counts: ${rows[0]?.sizes}`);
      const { rows: local } = await database.query<{ id: string }>(
        `SELECT id FROM gateway.accounts WHERE name = 'local'`,
      );
      const sealer = new Sealer(keyringOf(readFileSync(join(dataDir, 'master-key'), 'utf8')));
      const filling: Filling = {
        database,
        sizes,
        sealer,
        localAccount: local[0]?.id ?? '',
        secrets,
        receiverUrl: RECEIVER_URL,
        log,
      };
      await database.query(SETTINGS);
      const step = async (name: string, work: () => Promise<void>) => {
        if (done.has(name)) return;
        const began = performance.now();
        await work();
        const seconds = (performance.now() - began) / 1_000;
        await database.query(`INSERT INTO scale.done VALUES ($1, $2, $3)`, [name, seconds, JSON.stringify(sizes)]);
        log(`${name}: ${seconds.toFixed(0)} s`);
      };
      await step('indexes away', () => dropIndexes(database));
      for (const [name, fill] of Object.entries(steps))
        await step(name, () => inTransaction(database, () => fill(filling)));
      await step('indexes', () => makeIndexes(database, log));
      await step('statistics', async () => void (await database.query(`VACUUM (ANALYZE)`)));
    }),
  );
  writeFileSync(join(dataDir, 'scale-filled'), JSON.stringify(sizes));
}

/** Whether a folder was filled to the end, whatever with. */
export const isFilled = (dataDir: string): boolean => existsSync(join(dataDir, 'scale-filled'));

async function inTransaction(database: pg.Client, work: () => Promise<void>): Promise<void> {
  // A table that is emptied in the transaction that fills it needs no log with wal_level = minimal.
  await database.query('BEGIN');
  try {
    await work();
    await database.query('COMMIT');
  } catch (error) {
    await database.query('ROLLBACK');
    throw error;
  }
}

/** Has the services make their tables and one agent, which shows what an agent's sealed secrets say. */
async function makeSample(dataDir: string): Promise<void> {
  const roost = await startScaled(dataDir, { replicas: 0 });
  try {
    const { body } = await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'sample' });
    const sealer = new Sealer(keyringOf(readFileSync(join(dataDir, 'master-key'), 'utf8')));
    await withClient(roost.databaseUrl, async (database) => {
      const { rows } = await database.query<{ secrets: string }>(`SELECT secrets FROM lifecycle.agents`);
      writeFileSync(join(dataDir, 'scale-sample'), sealer.open(rows[0]?.secrets ?? '', `agents:${body.id}`));
    });
    await roost.api('POST', `/v1/agent/delete/${body.id}`);
  } finally {
    await roost.stop();
  }
}
