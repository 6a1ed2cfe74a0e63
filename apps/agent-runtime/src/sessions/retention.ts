import type { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';

const EVERY_MS = 3_600_000;
const BATCH = 5_000;

export interface KeptDays {
  transcript: number;
  usage: number;
}

/**
 * Bounds what is kept of sessions. Never removed: what a persistent session that is still open has in its context.
 * Replicas may sweep at the same time.
 */
export class Retention implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isStopped = false;

  constructor(
    private readonly database: Database,
    private readonly kept: KeptDays,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running ??= this.sweep()
        .catch((err: unknown) => this.logger.error({ err }, 'old transcripts could not be removed'))
        .finally(() => (this.running = undefined));
    }, EVERY_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  /** Removes all that is too old, some thousand rows at a time. */
  async sweep(): Promise<void> {
    await this.remove(
      `transcript WHERE id IN (
         SELECT t.id FROM transcript t LEFT JOIN sessions s ON s.id = t.session_id
         WHERE t.created_at < now() - $1::int * interval '1 day'
           AND (t.is_compacted OR s.id IS NULL OR s.ended_at IS NOT NULL OR NOT s.is_persistent)
         LIMIT ${BATCH})`,
      this.kept.transcript,
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
    );
    await this.remove(
      `turn_usage WHERE (turn_id, fencing_token) IN (
         SELECT turn_id, fencing_token FROM turn_usage WHERE created_at < now() - $1::int * interval '1 day' LIMIT ${BATCH})`,
      this.kept.usage,
    );
    // Of batches that failed for good: no attempt follows.
    await this.remove(`unfinished_turns WHERE updated_at < now() - $1::int * interval '1 day'`, 2);
  }

  private async remove(what: string, days: number): Promise<void> {
    while (!this.isStopped) {
      const removed = await this.database.query(`DELETE FROM ${what} RETURNING 1`, [days]);
      if (removed.length < BATCH) return;
    }
  }
}
