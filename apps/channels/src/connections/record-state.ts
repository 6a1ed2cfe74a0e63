import { channelFailed } from '#lib/contracts';
import type { Database } from '#lib/database';
import { createHash } from 'node:crypto';
import type { BotCredentials, ConnectionState } from '../adapters/channel-adapter.js';
import type { Bot } from './bots.js';
import type { Lease } from './connection-lease.js';

/** What is kept of credentials, to know whether a refusal was of these. */
export function credentialsHash(credentials: BotCredentials): string {
  return createHash('sha256').update(JSON.stringify(credentials)).digest('hex');
}

/** Writes a connection's health down. Its owners are told of refused credentials once, whichever replicas try them. */
export async function recordState(
  database: Database,
  { platform, botId, fence }: Lease,
  bot: Bot,
  state: ConnectionState,
): Promise<void> {
  const reason = state.health === 'failed' ? state.reason : null;
  const token = credentialsHash(bot.credentials);
  await database.transaction(async (tx) => {
    const [before] = await tx.query<{ reported_token: string | null }>(
      `SELECT reported_token FROM connection_leases WHERE platform = $1 AND bot_id = $2 AND fence = $3 FOR UPDATE`,
      [platform, botId, fence],
    );
    if (!before) return;
    const reported = state.health === 'failed' ? token : state.health === 'connected' ? null : before.reported_token;
    await tx.query(
      `UPDATE connection_leases SET health = $3, reason = $4, reported_token = $5 WHERE platform = $1 AND bot_id = $2`,
      [platform, botId, state.health, reason, reported],
    );
    if (reason === null || before.reported_token === token) return;
    for (const { agentId, accountId } of bot.owners) {
      await tx.outbox(channelFailed, { accountId, agentId, platform, reason, occurredAt: new Date() }, agentId);
    }
  });
}
