import type { Database } from '#lib/database';

const WINDOW = '15 minutes';
/** How long an address from which somebody signed in is not counted with all others. */
const PLACE_KEPT_FOR = '90 days';

/** Counts a try; how many there were in this window, and in how many seconds it ends. `who` is a hash. */
export async function countTry(database: Database, who: string): Promise<{ count: number; seconds: number }> {
  const [row] = await database.query<{ count: number; seconds: number }>(
    `INSERT INTO login_tries AS kept (who, count, until) VALUES ($1, 1, now() + $2::interval)
     ON CONFLICT (who) DO UPDATE SET
       count = CASE WHEN kept.until < now() THEN 1 ELSE least(kept.count + 1, 1000000) END,
       until = CASE WHEN kept.until < now() THEN excluded.until ELSE kept.until END
     RETURNING count, ceil(extract(epoch FROM until - now()))::int AS seconds`,
    [who, WINDOW],
  );
  return row ?? { count: 1, seconds: 0 };
}

export async function forgetTries(database: Database, who: string): Promise<void> {
  await database.query(`DELETE FROM login_tries WHERE who = $1`, [who]);
}

export async function giveBackTry(database: Database, who: string): Promise<void> {
  await database.query(`UPDATE login_tries SET count = count - 1 WHERE who = $1 AND count > 0`, [who]);
}

/** Remembers from where an owner signed in; `who` is a hash of both. */
export async function rememberNetwork(database: Database, who: string): Promise<void> {
  await database.query(`INSERT INTO login_places (who) VALUES ($1) ON CONFLICT (who) DO UPDATE SET seen_at = now()`, [
    who,
  ]);
}

export async function isNetworkKnown(database: Database, who: string): Promise<boolean> {
  const rows = await database.query(`SELECT 1 FROM login_places WHERE who = $1 AND seen_at > now() - $2::interval`, [
    who,
    PLACE_KEPT_FOR,
  ]);
  return rows.length > 0;
}

export async function sweepTries(database: Database): Promise<void> {
  await database.query(
    `DELETE FROM login_tries WHERE who IN (SELECT who FROM login_tries WHERE until < now() LIMIT 10000)`,
  );
  await database.query(
    `DELETE FROM login_places WHERE who IN (
       SELECT who FROM login_places WHERE seen_at < now() - $1::interval LIMIT 10000)`,
    [PLACE_KEPT_FOR],
  );
}
