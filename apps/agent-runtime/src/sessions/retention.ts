import type { Database } from '#lib/database';
import { HOURLY, Sweep } from '#lib/sweeps';

const BATCH = 5_000;

export interface KeptDays {
  transcript: number;
  usage: number;
}

/**
 * Bounds what is kept of sessions. Never removed: what a persistent session that is still open has in its context.
 * Replicas may sweep at the same time.
 */
export class Retention {
  constructor(
    private readonly database: Database,
    private readonly kept: KeptDays,
  ) {}

  /** Removes all that is too old, some thousand rows at a time. */
  @Sweep('runtime.retention', HOURLY)
  async sweep(signal?: AbortSignal): Promise<void> {
    await this.remove(
      `transcript WHERE id IN (
         SELECT t.id FROM transcript t LEFT JOIN sessions s ON s.id = t.session_id
         WHERE t.created_at < now() - $1::int * interval '1 day'
           AND (t.is_compacted OR s.id IS NULL OR s.ended_at IS NOT NULL OR NOT s.is_persistent)
         LIMIT ${BATCH})`,
      this.kept.transcript,
      signal,
    );
    // The latest end stays: what was said before it is not part of the conversation's next context.
    await this.remove(
      `sessions WHERE id IN (
         SELECT s.id FROM sessions s WHERE s.ended_at < now() - $1::int * interval '1 day'
           AND EXISTS (SELECT FROM sessions later WHERE later.agent_id = s.agent_id
                         AND later.conversation_id = s.conversation_id AND later.ended_at > s.ended_at)
           AND NOT EXISTS (SELECT FROM transcript t WHERE t.session_id = s.id)
         LIMIT ${BATCH})`,
      this.kept.transcript,
      signal,
    );
    await this.remove(
      `turn_usage WHERE (turn_id, fencing_token) IN (
         SELECT turn_id, fencing_token FROM turn_usage WHERE created_at < now() - $1::int * interval '1 day' LIMIT ${BATCH})`,
      this.kept.usage,
      signal,
    );
    // Of batches that failed for good: no attempt follows.
    await this.remove(`unfinished_turns WHERE updated_at < now() - $1::int * interval '1 day'`, 2, signal);
  }

  private async remove(what: string, days: number, signal: AbortSignal | undefined): Promise<void> {
    while (!signal?.aborted) {
      const removed = await this.database.query(`DELETE FROM ${what} RETURNING 1`, [days]);
      if (removed.length < BATCH) return;
    }
  }
}
