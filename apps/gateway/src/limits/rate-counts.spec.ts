import { Database } from '#lib/database';
import { startRoost, type TestRoost } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockAccount, removeAccount } from '../accounts/accounts.repository.js';
import { addCounts } from './rate-counts.repository.js';

let roost: TestRoost;
let database: Database;
beforeAll(async () => {
  roost = await startRoost({ services: ['gateway'] });
  database = await Database.open({ url: roost.databaseUrl, schema: 'gateway', migrations: [], poolSize: 3 });
});
afterAll(async () => {
  await database?.close();
  await roost?.stop();
});

it('what was counted of an account does not outlive it when both are written at once', async () => {
  const account = randomUUID();
  await database.query(`INSERT INTO accounts (id, name) VALUES ($1, 'leaver')`, [account]);
  let counted: Promise<unknown> = Promise.resolve();
  await database.transaction(async (tx) => {
    await lockAccount(tx, account);
    await removeAccount(tx, account);
    counted = addCounts(database, 1, new Map([[account, 1]]));
    // Long enough for it to be written, were it not for the lock.
    await Promise.race([counted, delay(500)]);
  });
  await counted;
  expect(await database.query(`SELECT * FROM rate_counts WHERE account_id = $1`, [account])).toEqual([]);
});
