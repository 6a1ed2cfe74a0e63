import { createHash, createHmac } from 'node:crypto';

/** PostgreSQL cuts longer names. */
const maxNameLength = 63;

/**
 * The connection string of the role that owns `schema`, from the one of the role that makes it. The password follows
 * from that role's, one way: who has a service's reaches no other, nothing more has to be stored, and installations that
 * share a database agree on it.
 */
export function roleUrl(adminUrl: string, schema: string): string {
  const url = new URL(adminUrl);
  url.username = roleName(databaseOf(url), schema);
  url.password = createHmac('sha256', decodeURIComponent(new URL(adminUrl).password))
    .update(`roost role ${url.username}`)
    .digest('base64url');
  return url.href;
}

export function databaseOf(url: URL): string {
  return decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username);
}

/** Roles are shared by all databases of a server, so the database's name is in theirs; `roost` for the embedded one's. */
export function roleName(database: string, schema: string): string {
  const name = `${database === 'postgres' ? 'roost' : database}_${schema}`.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  if (name.length <= maxNameLength) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.slice(0, maxNameLength - 17)}_${digest}`;
}
