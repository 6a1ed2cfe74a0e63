import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Why a turn was cancelled, and what a message waits for. `turns.stopped`: the agent may not act any more, so the batch
 * goes back to the queue; without it a cancelled turn was interrupted. The previous version leaves all at their defaults.
 */
export class WaitingReasons1796000000000 implements MigrationInterface {
  name = 'WaitingReasons1796000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE turns ADD COLUMN stopped boolean NOT NULL DEFAULT false`);
    await runner.query(`ALTER TABLE agents ADD COLUMN lacks_balance boolean NOT NULL DEFAULT false`);
    // The last failure of the conversation's turn: the reason for as long as `ready_at` is ahead.
    await runner.query(`ALTER TABLE conversations ADD COLUMN retry_error jsonb`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
