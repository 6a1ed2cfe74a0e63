import { Database } from '#lib/database';
import { freshDatabase } from '#lib/testing';
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { keyringOf, rotateColumn, Sealer } from '../index.js';

const ROWS = 3_000;
const key = () => randomBytes(32).toString('base64');

it('brings every value under the new master key, and reads the table a few times for it, not once per batch', async () => {
  const [first, second] = [key(), key()];
  const before = new Sealer(keyringOf(first));
  const after = new Sealer(keyringOf(second, [first]));
  const server = await freshDatabase();
  const database = await Database.open({ url: server.url, schema: 'sealed', migrations: [], poolSize: 1 });
  try {
    await database.query(`CREATE TABLE things (id integer PRIMARY KEY, secret text)`);
    const ids = Array.from({ length: ROWS }, (_, id) => id);
    await database.query(`INSERT INTO things SELECT * FROM unnest($1::int[], $2::text[])`, [
      ids,
      ids.map((id) => before.seal(`secret ${id}`, `things:${id}`)),
    ]);
    const column = { table: 'things', column: 'secret', id: 'id::text', context: 'things' };
    const read = await rowsRead(database);
    expect(await rotateColumn(database, after, column)).toBe(ROWS);
    expect((await rowsRead(database)) - read).toBeLessThan(5 * ROWS);
    const rows = await database.query<{ id: number; secret: string }>(`SELECT id, secret FROM things`);
    const alone = new Sealer(keyringOf(second));
    expect(rows.every(({ id, secret }) => alone.open(secret, `things:${id}`) === `secret ${id}`)).toBe(true);
    expect(await rotateColumn(database, after, column)).toBe(0);

    // One that no key opens says so, and keeps no other one under the old key.
    const lost = new Sealer(keyringOf(key())).seal('lost', 'things:0');
    await database.query(`UPDATE things SET secret = CASE WHEN id = 0 THEN $1 ELSE $2 END WHERE id < 2`, [
      lost,
      before.seal('secret 1', 'things:1'),
    ]);
    await expect(rotateColumn(database, after, column)).rejects.toThrow(/master key/i);
    const [zero, one] = await database.query<{ secret: string }>(`SELECT secret FROM things WHERE id < 2 ORDER BY id`);
    expect(zero?.secret).toBe(lost);
    expect(alone.open(one?.secret ?? '', 'things:1')).toBe('secret 1');
  } finally {
    await database.close();
    await server.drop();
  }
});

async function rowsRead(database: Database): Promise<number> {
  await database.query(`SELECT pg_stat_force_next_flush()`);
  const [row] = await database.query<{ read: string }>(
    `SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS read FROM pg_stat_user_tables WHERE relname = 'things'`,
  );
  return Number(row?.read);
}
