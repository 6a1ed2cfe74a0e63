import type { Database } from '#lib/database';
import type { ConnectionMemory } from '../adapters/channel-adapter.js';
import type { Lease } from './connection-lease.js';

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
