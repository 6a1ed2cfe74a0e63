import pg from 'pg';
import { databaseOf, roleName, roleUrl } from './role-url.js';

export type ProvisionedRoles =
  /** Connection string by schema. */
  | { urls: Record<string, string> }
  /** Why there are none: the role of the given connection string has to serve all. */
  | { urls: undefined; reason: string };

const connectTimeoutMs = 10_000;
/** A service of the version before may be writing; its transactions are short. */
const lockTimeoutMs = 10_000;

/** "insufficient privilege", and the codes of a proxy for users that it does not know or cannot distinguish. */
const notAllowed = new Set(['42501', '28P01', '28000', '08P01', '0LP01']);

/**
 * Makes each schema a role of its own that owns it, with all that is in it, and may use nothing else; what an earlier
 * version made as the given role changes its owner. May be called at every start, by several at once.
 * The given role keeps its access, so the version before goes on working beside this one.
 */
export async function provisionRoles(adminUrl: string, schemas: string[]): Promise<ProvisionedRoles> {
  const url = new URL(adminUrl);
  if (url.password === '') return { urls: undefined, reason: 'it has no password from which theirs could be made' };
  const urls = Object.fromEntries(schemas.map((schema) => [schema, roleUrl(adminUrl, schema)]));
  try {
    await withClient(adminUrl, async (client) => {
      await client.query(`SET lock_timeout = ${lockTimeoutMs}`);
      // Until this connection ends. Of the whole: two that grant on one database at once make one of them fail.
      await client.query(`SELECT pg_advisory_lock(hashtextextended('roost-roles', 0))`);
      for (const schema of schemas) await provision(client, schema, databaseOf(url), urls[schema] ?? '');
    });
    // A pooler before the server may admit only users that it is configured with.
    await withClient(urls[schemas[0] ?? ''] ?? adminUrl, (client) => client.query('SELECT 1'));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || !notAllowed.has(error.code ?? '')) throw error;
    return { urls: undefined, reason: error.message };
  }
  return { urls };
}

async function provision(client: pg.Client, schema: string, database: string, url: string): Promise<void> {
  const role = roleName(database, schema);
  const quoted = { role: pg.escapeIdentifier(role), schema: pg.escapeIdentifier(schema) };
  const password = pg.escapeLiteral(decodeURIComponent(new URL(url).password));
  await client.query('BEGIN');
  try {
    const { rows } = await client.query<{ exists: boolean; mine: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS exists,
        EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(oid, 'USAGE')) AS mine`,
      [role],
    );
    const attributes = `LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${password}`;
    if (!rows[0]?.exists) await client.query(`CREATE ROLE ${quoted.role} ${attributes}`);
    // Who is no superuser must belong to a role to give it things.
    if (!rows[0]?.mine) await client.query(`GRANT ${quoted.role} TO CURRENT_USER`);
    if (rows[0]?.exists) await client.query(`ALTER ROLE ${quoted.role} PASSWORD ${password}`);
    await client.query(`GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${quoted.role}`);
    await client.query(takeOver(role, schema));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Makes the schema, or gives it to the role with all that is in it. What belongs to a table or an extension (sequences of
 * identities, indexes, row types) goes with that.
 */
function takeOver(role: string, schema: string): string {
  const name = pg.escapeLiteral(role);
  const space = pg.escapeLiteral(schema);
  const owned = (catalog: string, owner: string) => `
    o.${owner} <> r AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = '${catalog}'::regclass AND d.objid = o.oid AND d.deptype IN ('a', 'i', 'e'))`;
  return `DO $roost$
DECLARE
  r oid := (SELECT oid FROM pg_roles WHERE rolname = ${name});
  n oid := to_regnamespace(quote_ident(${space}));
  statement text;
BEGIN
  IF n IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I AUTHORIZATION %I', ${space}, ${name});
    RETURN;
  END IF;
  IF (SELECT nspowner FROM pg_namespace WHERE oid = n) <> r THEN
    EXECUTE format('ALTER SCHEMA %I OWNER TO %I', ${space}, ${name});
  END IF;
  FOR statement IN
    SELECT format('ALTER %s %s OWNER TO %I',
      CASE o.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, o.oid::regclass, ${name})
    FROM pg_class o WHERE o.relnamespace = n AND o.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${owned('pg_class', 'relowner')}
    UNION ALL
    SELECT format('ALTER ROUTINE %s OWNER TO %I', o.oid::regprocedure, ${name})
    FROM pg_proc o WHERE o.pronamespace = n AND ${owned('pg_proc', 'proowner')}
    UNION ALL
    SELECT format('ALTER TYPE %s OWNER TO %I', o.oid::regtype, ${name})
    FROM pg_type o WHERE o.typnamespace = n AND o.typtype IN ('e', 'd', 'r') AND ${owned('pg_type', 'typowner')}
  LOOP
    EXECUTE statement;
  END LOOP;
END $roost$`;
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: connectTimeoutMs });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
