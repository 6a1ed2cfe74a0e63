import type pg from 'pg';

const SCHEMAS = ['gateway', 'lifecycle', 'messaging', 'runtime', 'scheduler', 'webhooks', 'channels'];

/**
 * Takes the indexes and keys of all services' tables away and notes how the migrations made them, in `scale.later`:
 * filling a table and then making its indexes takes a fraction of the time that filling it with them does.
 */
export async function dropIndexes(database: pg.Client): Promise<void> {
  await database.query('BEGIN');
  await database.query(`
    CREATE TABLE scale.later (position serial PRIMARY KEY, relation text NOT NULL, name text NOT NULL, sql text NOT NULL)`);
  await database.query(
    `INSERT INTO scale.later (relation, name, sql)
     SELECT relation, name, sql FROM (
       SELECT 1 AS rank, conrelid::regclass::text AS relation, conname AS name,
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS sql
       FROM pg_constraint WHERE contype IN ('p', 'u') AND connamespace = ANY($1::regnamespace[])
       UNION ALL
       SELECT 2, indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
       FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
       WHERE relnamespace = ANY($1::regnamespace[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
       UNION ALL
       SELECT 3, conrelid::regclass::text, conname,
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
       FROM pg_constraint WHERE contype = 'f' AND connamespace = ANY($1::regnamespace[])
     ) found ORDER BY rank, relation, name`,
    [SCHEMAS],
  );
  const { rows } = await database.query<{ relation: string; name: string; sql: string }>(
    `SELECT relation, name, sql FROM scale.later ORDER BY position DESC`,
  );
  for (const { relation, name, sql } of rows)
    await database.query(
      sql.startsWith('ALTER TABLE') ? `ALTER TABLE ${relation} DROP CONSTRAINT "${name}"` : `DROP INDEX ${name}`,
    );
  await database.query('COMMIT');
}

/** Makes them again, one after the other: what was made before a run was ended is not made twice. */
export async function makeIndexes(database: pg.Client, log: (line: string) => void): Promise<void> {
  const { rows } = await database.query<{ position: number; relation: string; name: string; sql: string }>(
    `SELECT * FROM scale.later ORDER BY position`,
  );
  for (const [index, { position, name, sql }] of rows.entries()) {
    const began = performance.now();
    await database.query('BEGIN');
    await database.query(sql);
    await database.query(`DELETE FROM scale.later WHERE position = $1`, [position]);
    await database.query('COMMIT');
    const seconds = (performance.now() - began) / 1_000;
    if (seconds > 5) log(`  index ${index + 1} of ${rows.length}, ${name}: ${seconds.toFixed(0)} s`);
  }
}
