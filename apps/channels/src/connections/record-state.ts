import { channelFailed } from '#lib/contracts';
import type { Database } from '#lib/database';
import { createHash } from 'node:crypto';
import type { BotCredentials, ConnectionState } from '../adapters/channel-adapter.js';
import type { Bot } from './bots.service.js';
import { type Lease, lockLease, setState } from './leases.repository.js';

/** What is stored of credentials, to know whether a refusal was of these. */
export function credentialsHash(credentials: BotCredentials): string {
  return createHash('sha256').update(JSON.stringify(credentials)).digest('hex');
}

/** Records a connection's health. Refused credentials are reported once to their owners, whichever replicas try them. */
export async function recordState(database: Database, lease: Lease, bot: Bot, state: ConnectionState): Promise<void> {
  const { platform } = lease;
  const reason = state.health === 'failed' ? state.reason : null;
  const token = credentialsHash(bot.credentials);
  await database.transaction(async (tx) => {
    const before = await lockLease(tx, lease);
    if (!before) return;
    const reported = state.health === 'failed' ? token : state.health === 'connected' ? null : before.reported_token;
    await setState(tx, lease, { health: state.health, reason, of: reported });
    if (reason === null || before.reported_token === token) return;
    for (const { agentId, accountId } of bot.owners) {
      await tx.outbox(channelFailed, { accountId, agentId, platform, reason, occurredAt: new Date() }, agentId);
    }
  });
}
