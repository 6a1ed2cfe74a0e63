import type { ChannelHealth, ChatPlatform } from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';
import type { ConnectionMemory } from '../adapters/channel-adapter.js';

/** All SQL of `connection_leases`: which replica connects a bot, the connection's health and what it must remember. */

/** A replica that dies is replaced when this has passed and another one asks for its leases (every `RENEW_MS`). */
export const LEASE_MS = 10_000;
export const RENEW_MS = 2_500;

export interface Lease {
  platform: ChatPlatform;
  botId: string;
  holder: string;
  /** Grows with every new holder; compared at every write. */
  fence: string;
}

/** Takes a free or expired lease, or one of ours whose taking was not answered; undefined while another replica has it. */
export async function takeLease(
  database: Database,
  platform: ChatPlatform,
  botId: string,
  holder: string,
): Promise<Lease | undefined> {
  const [row] = await database.query<{ fence: string }>(
    `INSERT INTO connection_leases AS l (platform, bot_id, holder, expires_at)
     VALUES ($1, $2, $3, now() + interval '${LEASE_MS} milliseconds')
     ON CONFLICT (platform, bot_id) DO UPDATE SET
       fence = CASE WHEN l.holder = $3 AND l.expires_at > now() THEN l.fence ELSE l.fence + 1 END,
       holder = $3, expires_at = now() + interval '${LEASE_MS} milliseconds'
       WHERE l.holder = $3 OR l.expires_at <= now()
     RETURNING fence`,
    [platform, botId, holder],
  );
  return row ? { platform, botId, holder, fence: row.fence } : undefined;
}

/** Renews those leases of a holder that are not over, all in one statement, and returns them. */
export async function renewLeases(database: Database, holder: string, leases: Lease[]): Promise<Lease[]> {
  const rows = await database.query<{ place: number }>(
    `UPDATE connection_leases l SET expires_at = now() + interval '${LEASE_MS} milliseconds'
       FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS held (platform, bot_id, fence, place)
      WHERE l.platform = held.platform AND l.bot_id = held.bot_id AND l.fence = held.fence
        AND l.holder = $1 AND l.expires_at > now()
      RETURNING held.place::int AS place`,
    [
      holder,
      leases.map(({ platform }) => platform),
      leases.map(({ botId }) => botId),
      leases.map(({ fence }) => fence),
    ],
  );
  return rows.flatMap(({ place }) => leases[place - 1] ?? []);
}

/** For good: a renewal that began before it and waits for the row, with an older now(), does not bring it back. */
export async function releaseLease(database: Database, { platform, botId, holder, fence }: Lease): Promise<void> {
  await database.query(
    `UPDATE connection_leases SET expires_at = '-infinity' WHERE platform = $1 AND bot_id = $2 AND holder = $3 AND fence = $4`,
    [platform, botId, holder, fence],
  );
}

/** Beside the bot's lease; who has lost the lease writes nothing there any more. */
export function connectionMemory(database: Database, { platform, botId, fence }: Lease): ConnectionMemory {
  return {
    async load() {
      const [row] = await database.query<{ memory: string | null }>(
        `SELECT memory FROM connection_leases WHERE platform = $1 AND bot_id = $2`,
        [platform, botId],
      );
      return row?.memory ?? undefined;
    },
    async save(text) {
      await database.query(
        `UPDATE connection_leases SET memory = $4 WHERE platform = $1 AND bot_id = $2 AND fence = $3`,
        [platform, botId, fence, text],
      );
    },
  };
}

export interface LeaseState {
  health: ChannelHealth;
  reason: string | null;
  /** Hash of the credentials that were refused. */
  of: string | null;
}

export async function stateOfLease(
  database: Database,
  platform: ChatPlatform,
  botId: string,
): Promise<LeaseState | undefined> {
  const [lease] = await database.query<LeaseState>(
    `SELECT CASE WHEN expires_at > now() THEN health ELSE 'connecting' END AS health, reason, reported_token AS of
       FROM connection_leases WHERE platform = $1 AND bot_id = $2`,
    [platform, botId],
  );
  return lease;
}

/** Locks the lease's row. Undefined when another replica has the lease. */
export async function lockLease(
  tx: Transaction,
  { platform, botId, fence }: Lease,
): Promise<{ reported_token: string | null } | undefined> {
  const [row] = await tx.query<{ reported_token: string | null }>(
    `SELECT reported_token FROM connection_leases WHERE platform = $1 AND bot_id = $2 AND fence = $3 FOR UPDATE`,
    [platform, botId, fence],
  );
  return row;
}

export async function setState(
  tx: Transaction,
  { platform, botId }: Lease,
  { health, reason, of }: LeaseState,
): Promise<void> {
  await tx.query(
    `UPDATE connection_leases SET health = $3, reason = $4, reported_token = $5 WHERE platform = $1 AND bot_id = $2`,
    [platform, botId, health, reason, of],
  );
}
