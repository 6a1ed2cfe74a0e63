import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { testServers } from './test-servers.js';

export interface FreshDatabase {
  url: string;
  /** Drops it, ending whoever is still connected. */
  drop(): Promise<void>;
}

/** An empty database of its own for a suite: a copy of the server's template, some tens of milliseconds. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await execute(`CREATE DATABASE ${name}`);
  const url = new URL(testServers().databaseUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function execute(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testServers().databaseUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
