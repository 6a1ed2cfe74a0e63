import { RoostError, type ChatPlatform } from '#lib/contracts';
import type { Database } from '#lib/database';
import { createHash, randomInt } from 'node:crypto';

/** Without 0, O, 1 and I, which people mistake for each other. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const MINUTES = 10;

export function hashCode(code: string): string {
  return createHash('sha256').update(code.trim().toUpperCase()).digest('hex');
}

export interface LinkTarget {
  accountId: string;
  agentId: string;
  agentName: string;
  platform: ChatPlatform;
  /** The bot that the code is to be sent to. */
  botId: string;
}

/** A new code, good once and for ten minutes; an earlier one of this agent and platform is void. */
export async function createCode(database: Database, target: LinkTarget): Promise<{ code: string; expiresAt: Date }> {
  // Two agents with the same code at once would hand one person to the other: the hash is unique, try another.
  for (let attempt = 0; attempt < 5; attempt++) {
    const code = Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
    const [row] = await database.query<{ expires_at: Date }>(
      `INSERT INTO link_codes (agent_id, platform, account_id, agent_name, bot_id, code_hash, expires_at)
       SELECT $1, $2, $3, $4, $5, $6, now() + interval '${MINUTES} minutes'
        WHERE NOT EXISTS (SELECT 1 FROM link_codes WHERE code_hash = $6)
       ON CONFLICT (agent_id, platform) DO UPDATE
         SET code_hash = EXCLUDED.code_hash, expires_at = EXCLUDED.expires_at, bot_id = EXCLUDED.bot_id,
             account_id = EXCLUDED.account_id, agent_name = EXCLUDED.agent_name
       RETURNING expires_at`,
      [target.agentId, target.platform, target.accountId, target.agentName, target.botId, hashCode(code)],
    );
    if (row) return { code, expiresAt: row.expires_at };
  }
  throw new RoostError('SERVICE_UNAVAILABLE', 'no free code was found; try again');
}
