import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `is_suspended`: the turn waits for a person, perhaps for long: its work is kept until it goes on. */
export class SuspendedTurns1797400000000 implements MigrationInterface {
  name = 'SuspendedTurns1797400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE unfinished_turns ADD COLUMN is_suspended boolean NOT NULL DEFAULT false`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
