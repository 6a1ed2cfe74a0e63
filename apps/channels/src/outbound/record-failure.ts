import { type ChatPlatform, deliveryFailed } from '#lib/contracts';
import type { Database, Transaction } from '#lib/database';

/** Something that a platform does not show, for good. */
export interface Failure {
  accountId: string;
  agentId: string;
  deliveryId: string;
  turnId: string;
  /** The agent's messages that this was to show. */
  replyIds: string[];
  platform: ChatPlatform;
  botId: string;
  room: string;
  isGroup: boolean;
  /** It is the room, not this message: the bindings say so. */
  isUnreachable: boolean;
  reason: string;
}

/** Once for each reply, however many of its parts fail. */
export async function recordFailure(tx: Transaction, failure: Failure): Promise<Failure> {
  const { accountId, agentId, deliveryId, turnId, replyIds, platform, botId, room, reason } = failure;
  if (failure.isUnreachable) {
    await tx.query(
      `UPDATE bindings SET unreachable_place = $5, unreachable_reason = $6
        WHERE account_id = $1 AND agent_id = $2 AND platform = $3 AND bot_id = $4 AND ($7 OR place = $5)`,
      [accountId, agentId, platform, botId, room, reason, failure.isGroup],
    );
  }
  const earlier = await tx.query(
    `SELECT 1 FROM deliveries WHERE turn_id = $1 AND id <> $2 AND state = 'failed' LIMIT 1`,
    [turnId, deliveryId],
  );
  if (replyIds.length > 0 && earlier.length === 0) {
    await tx.outbox(
      deliveryFailed,
      { accountId, agentId, platform, messageIds: replyIds, reason, occurredAt: new Date() },
      agentId,
    );
  }
  return failure;
}

/** Something came from the room, or was shown there. */
export async function clearUnreachable(
  database: Database,
  { platform, botId }: { platform: ChatPlatform; botId: string },
  room: string,
): Promise<void> {
  await database.query(
    `UPDATE bindings SET unreachable_place = NULL, unreachable_reason = NULL
      WHERE platform = $1 AND bot_id = $2 AND unreachable_place = $3`,
    [platform, botId, room],
  );
}
