import pg from 'pg';

export interface StoredRow {
  /** `schema.table`. */
  table: string;
  /** The row as JSON; bytes in hex. */
  text: string;
}

/** Every row of every table of every schema that is not PostgreSQL's own, for tests that look for what must not be there. */
export async function everyRow(databaseUrl: string): Promise<StoredRow[]> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ schema: string; name: string }>(
      `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const found: StoredRow[] = [];
    for (const { schema, name } of tables) {
      const { rows } = await client.query<{ text: string }>(
        `SELECT row_to_json(r)::text AS text FROM "${schema}"."${name}" r`,
      );
      found.push(...rows.map(({ text }) => ({ table: `${schema}.${name}`, text })));
    }
    return found;
  } finally {
    await client.end();
  }
}
