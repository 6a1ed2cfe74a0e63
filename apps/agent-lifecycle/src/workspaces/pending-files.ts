import type { Bus } from '#lib/bus';
import type { Database } from '#lib/database';
import { putFile } from './workspace-files.js';

/** Writes the initial files that still wait into the workspace, each gone from the database once it is there. */
export async function writePendingFiles(database: Database, bus: Bus, agentId: string): Promise<void> {
  for (;;) {
    const [file] = await database.query<{ position: number; path: string; content: Buffer }>(
      `SELECT position, path, content FROM pending_files WHERE agent_id = $1 ORDER BY position LIMIT 1`,
      [agentId],
    );
    if (!file) return;
    await putFile(bus, agentId, file.path, file.content, { overwrite: true });
    await database.query(`DELETE FROM pending_files WHERE agent_id = $1 AND position = $2`, [agentId, file.position]);
  }
}
