import type { ChatPlatform } from '#lib/contracts';
import type { Database } from '#lib/database';

/** A replica that dies is replaced when this has passed and another one looks (every `RENEW_MS`). */
export const LEASE_MS = 10_000;
export const RENEW_MS = 2_500;

export interface Lease {
  platform: ChatPlatform;
  botId: string;
  holder: string;
  /** Grows with every new holder; compared at every write. */
  fence: string;
}

/** Takes a free or expired lease, or renews ours; undefined while another replica has it. */
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

export async function releaseLease(database: Database, { platform, botId, holder, fence }: Lease): Promise<void> {
  await database.query(
    `UPDATE connection_leases SET expires_at = now() WHERE platform = $1 AND bot_id = $2 AND holder = $3 AND fence = $4`,
    [platform, botId, holder, fence],
  );
}
