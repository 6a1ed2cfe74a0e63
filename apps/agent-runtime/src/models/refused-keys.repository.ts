import { agentKeyRefused, type ClaimedTurn } from '#lib/contracts';
import type { Database } from '#lib/database';

/** Reports to an agent's owner that a provider refuses a key: once until a turn succeeds again, however many turns fail. */
export class RefusedKeysRepository {
  constructor(private readonly database: Database) {}

  async report({ agentId, accountId }: Pick<ClaimedTurn, 'agentId' | 'accountId'>, message: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const reported = await tx.query(
        `INSERT INTO refused_keys AS known (agent_id, account_id, message) VALUES ($1, $2, $3)
         ON CONFLICT (agent_id) DO UPDATE SET message = excluded.message, told_at = now()
           WHERE split_part(known.message, ': ', 1) <> split_part(excluded.message, ': ', 1)
         RETURNING agent_id`,
        [agentId, accountId, message],
      );
      if (reported.length === 0) return;
      await tx.outbox(
        agentKeyRefused,
        { agentId, accountId, code: 'MODEL_KEY_REFUSED', message, occurredAt: new Date() },
        agentId,
      );
    });
  }
}
