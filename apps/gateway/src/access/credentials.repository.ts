import type { Queries, Transaction } from '#lib/database';
import { VALID_SESSION } from '../accounts/browser-sessions/browser-sessions.repository.js';
import type { Identity } from '../accounts/identity.js';
import { type AccessEnd, errorOf } from './access-ends.js';

export interface Holder {
  identity: Identity;
  /** Whether it is only for accounts that have the AI-agents feature. */
  needsAgents: boolean;
}

type Row = { id: string; agents_enabled: boolean };
const accountOf = ({ identity }: Holder) => identity.accountId;

/**
 * Why these may not go on, by their position in the list; who may is left out. A few statements by index, however many
 * they are. Only what the database states counts here, never what was kept of it.
 */
export async function endsOf(database: Queries, holders: Holder[]): Promise<Map<number, AccessEnd>> {
  const [accounts, keys, sessions, browsers, users] = await Promise.all([
    database.query<Row>(`SELECT id, agents_enabled FROM accounts WHERE id = ANY($1::uuid[])`, [
      distinct(holders.map(accountOf)),
    ]),
    validIds(database, holders, 'key', `SELECT hash AS id FROM api_keys WHERE hash = ANY($1) AND revoked_at IS NULL`),
    validIds(
      database,
      holders,
      'session',
      `SELECT id FROM login_sessions WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL AND expires_at > now()`,
    ),
    validIds(
      database,
      holders,
      'browser',
      `SELECT b.id FROM browser_sessions b WHERE b.id = ANY($1::uuid[]) AND ${VALID_SESSION}`,
    ),
    tokenLimits(database, holders),
  ]);
  const agentsEnabled = new Map(accounts.map((row) => [row.id, row.agents_enabled]));
  const ends = new Map<number, AccessEnd>();
  for (const [index, holder] of holders.entries()) {
    const { credential, accountId } = holder.identity;
    const isValid =
      credential.kind === 'key'
        ? keys.has(credential.hash)
        : credential.kind === 'session'
          ? sessions.has(credential.id)
          : credential.kind === 'browser'
            ? browsers.has(credential.id)
            : (users.get(credential.userId) ?? Infinity) < credential.issuedAt.getTime() &&
              (credential.expiresAt?.getTime() ?? Infinity) > Date.now();
    if (!agentsEnabled.has(accountId)) ends.set(index, 'account_deleted');
    else if (!isValid) ends.set(index, 'credential_revoked');
    else if (holder.needsAgents && !agentsEnabled.get(accountId)) ends.set(index, 'agents_disabled');
  }
  return ends;
}

/**
 * Begins the transaction that makes what outlives the credential it was asked for with, such as a key: from here to its
 * end the key is not revoked, nor are all sign-ins of the user ended or the account deleted.
 * Errors: UNAUTHORIZED where that has happened since the request was let in.
 */
export async function holdAccess(tx: Transaction, identity: Identity): Promise<void> {
  const { accountId, userId = null, credential } = identity;
  // In the order in which a deletion of the account locks them.
  await tx.query(`SELECT 1 FROM accounts WHERE id = $1 FOR KEY SHARE`, [accountId]);
  await tx.query(`SELECT 1 FROM users WHERE id = $1 FOR SHARE`, [userId]);
  await tx.query(`SELECT 1 FROM api_keys WHERE id = $1 FOR SHARE`, ['keyId' in credential ? credential.keyId : null]);
  for (const why of (await endsOf(tx, [{ identity, needsAgents: false }])).values()) throw errorOf(why);
}

async function validIds(database: Queries, holders: Holder[], kind: 'key' | 'session' | 'browser', sql: string) {
  const shown = distinct(
    holders.flatMap(({ identity: { credential } }) =>
      credential.kind !== kind ? [] : 'hash' in credential ? [credential.hash] : [credential.id],
    ),
  );
  if (shown.length === 0) return new Set<string>();
  return new Set((await database.query<{ id: string }>(sql, [shown])).map(({ id }) => id));
}

/** For tokens that name no sign-in: until when each user's were refused. */
async function tokenLimits(database: Queries, holders: Holder[]): Promise<Map<string, number>> {
  const userIds = distinct(
    holders.flatMap(({ identity: { credential } }) => (credential.kind === 'token' ? [credential.userId] : [])),
  );
  if (userIds.length === 0) return new Map();
  const rows = await database.query<{ id: string; limit: number }>(
    `SELECT id, extract(epoch FROM tokens_valid_after) * 1000 AS "limit" FROM users WHERE id = ANY($1::uuid[])`,
    [userIds],
  );
  return new Map(rows.map(({ id, limit }) => [id, Number(limit)]));
}

const distinct = (values: string[]): string[] => [...new Set(values)];
