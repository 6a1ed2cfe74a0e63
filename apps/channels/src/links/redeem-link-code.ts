import type { ChatPlatform } from '#lib/contracts';
import { type Database, newId, type Transaction } from '#lib/database';
import { countRows, requireQuota } from '#lib/quotas';
import type { InboundMessage } from '../adapters/channel-adapter.js';
import { hashCode } from './create-link-code.js';

const TRIES_PER_MINUTE = 5;

/** `silent`: this sender guesses; nothing is answered for ten minutes. `replaced`: was linked to another agent here. */
export type Redeemed =
  { outcome: 'linked'; agentName: string; replaced: boolean } | { outcome: 'refused' } | { outcome: 'silent' };

/**
 * Links the sender with the agent whose code this is. The newest link of a person with a bot wins. `limitOf`: how many
 * links an account may have. Errors: QUOTA_EXCEEDED; the code stays good.
 */
export function redeemCode(
  database: Database,
  platform: ChatPlatform,
  botId: string,
  message: InboundMessage,
  room: string,
  code: string,
  limitOf: (accountId: string) => Promise<number>,
): Promise<Redeemed> {
  return database.transaction<Redeemed>(async (tx) => {
    if (!(await mayTry(tx, platform, message.sender.id))) return { outcome: 'silent' };
    const [target] = await tx.query<{ agent_id: string; account_id: string; agent_name: string }>(
      `DELETE FROM link_codes WHERE code_hash = $1 AND platform = $2 AND bot_id = $3 AND expires_at > now()
       RETURNING agent_id, account_id, agent_name`,
      [hashCode(code), platform, botId],
    );
    if (!target) return { outcome: 'refused' };
    const old = await tx.query<{ agent_id: string }>(
      `DELETE FROM bindings WHERE platform = $1 AND bot_id = $2 AND user_id = $3 RETURNING agent_id`,
      [platform, botId, message.sender.id],
    );
    const count = () => countRows(tx, 'bindings', target.account_id);
    const limit = await limitOf(target.account_id);
    await requireQuota(tx, { accountId: target.account_id, quota: 'channel_bindings', limit, count });
    await tx.query(
      `INSERT INTO bindings (id, account_id, agent_id, platform, bot_id, user_id, username, place, team_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        newId(),
        target.account_id,
        target.agent_id,
        platform,
        botId,
        message.sender.id,
        message.sender.username,
        room,
        message.sender.teamId ?? null,
      ],
    );
    await tx.query(`DELETE FROM link_tries WHERE platform = $1 AND user_id = $2`, [platform, message.sender.id]);
    const replaced = old.some((binding) => binding.agent_id !== target.agent_id);
    return { outcome: 'linked', agentName: target.agent_name, replaced };
  });
}

/** Counts a try. False from the sixth within a minute on, for ten minutes. */
async function mayTry(tx: Transaction, platform: ChatPlatform, userId: string): Promise<boolean> {
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
