import type { Bus } from '#lib/bus';
import { getVolumeUsage } from '#lib/contracts';
import type { Database } from '#lib/database';
import type { AgentRow } from '../agents/agent-row.js';
import { askWithin } from '../agents/ask-within.js';

/** Asks an awake workspace what its volume holds and remembers it; the row as it was when it does not say in time. */
export async function refreshVolumeUsage(database: Database, bus: Bus, agent: AgentRow): Promise<AgentRow> {
  const unknown = { files: -1, bytes: 0, lastModified: null, isComplete: false };
  const usage = await askWithin(bus, getVolumeUsage, { agentId: agent.id }, unknown);
  if (usage.files < 0) return agent;
  const [updated = agent] = await database.query<AgentRow>(
    `UPDATE agents SET volume_files = $2, volume_bytes = $3, volume_modified_at = $4 WHERE id = $1 RETURNING *`,
    [agent.id, usage.files, usage.bytes, usage.lastModified],
  );
  return updated;
}
