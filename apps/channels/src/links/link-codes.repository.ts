import type { ChatPlatform } from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';

/** All SQL of `link_codes` (hashes of codes) and of `link_tries`, how often somebody tried one. */

const MINUTES = 10;
const TRIES_PER_MINUTE = 5;

export interface LinkTarget {
  accountId: string;
  agentId: string;
  agentName: string;
  platform: ChatPlatform;
  /** The bot that the code is to be sent to. */
  botId: string;
}

/** Replaces an earlier code of this agent and platform. Undefined when this code is another's: hashes are unique. */
export async function storeCode(
  tx: Transaction,
  target: LinkTarget,
  codeHash: string,
): Promise<{ expiresAt: Date } | undefined> {
  const [row] = await tx.query<{ expires_at: Date }>(
    `INSERT INTO link_codes (agent_id, platform, account_id, agent_name, bot_id, code_hash, expires_at)
     SELECT $1, $2, $3, $4, $5, $6, now() + interval '${MINUTES} minutes'
      WHERE NOT EXISTS (SELECT 1 FROM link_codes WHERE code_hash = $6)
     ON CONFLICT (agent_id, platform) DO UPDATE
       SET code_hash = EXCLUDED.code_hash, expires_at = EXCLUDED.expires_at, bot_id = EXCLUDED.bot_id,
           account_id = EXCLUDED.account_id, agent_name = EXCLUDED.agent_name
     RETURNING expires_at`,
    [target.agentId, target.platform, target.accountId, target.agentName, target.botId, codeHash],
  );
  return row && { expiresAt: row.expires_at };
}

/** A code is good once. Undefined: it is wrong or has expired. */
export async function takeCode(
  tx: Transaction,
  { platform, botId }: { platform: ChatPlatform; botId: string },
  codeHash: string,
): Promise<{ agent_id: string; account_id: string; agent_name: string } | undefined> {
  const [target] = await tx.query<{ agent_id: string; account_id: string; agent_name: string }>(
    `DELETE FROM link_codes WHERE code_hash = $1 AND platform = $2 AND bot_id = $3 AND expires_at > now()
     RETURNING agent_id, account_id, agent_name`,
    [codeHash, platform, botId],
  );
  return target;
}

export async function deleteTries(tx: Transaction, platform: ChatPlatform, userId: string): Promise<void> {
  await tx.query(`DELETE FROM link_tries WHERE platform = $1 AND user_id = $2`, [platform, userId]);
}

/** What linking leaves behind, after a day. */
export async function deleteOldCodes(database: Database): Promise<void> {
  await database.query(`DELETE FROM link_codes WHERE expires_at < now() - interval '1 day'`);
  await database.query(
    `DELETE FROM link_tries WHERE window_start < now() - interval '1 day' AND coalesce(silent_until, now()) <= now()`,
  );
}

/** Counts a try. False from the sixth within a minute on, for ten minutes. */
export async function mayTry(tx: Transaction, platform: ChatPlatform, userId: string): Promise<boolean> {
  const [row] = await tx.query<{ is_silent: boolean }>(
    `INSERT INTO link_tries AS t (platform, user_id) VALUES ($1, $2)
     ON CONFLICT (platform, user_id) DO UPDATE SET
       tries = CASE WHEN t.window_start < now() - interval '1 minute' THEN 1 ELSE t.tries + 1 END,
       window_start = CASE WHEN t.window_start < now() - interval '1 minute' THEN now() ELSE t.window_start END,
       silent_until = CASE
         WHEN t.silent_until > now() THEN t.silent_until
         WHEN t.window_start >= now() - interval '1 minute' AND t.tries >= ${TRIES_PER_MINUTE}
           THEN now() + interval '10 minutes' END
     RETURNING coalesce(silent_until > now(), false) AS is_silent`,
    [platform, userId],
  );
  return row?.is_silent === false;
}
