import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Retention looks for what finished long ago, which without it is all executions there are. */
export class FinishedExecutions1797700000000 implements MigrationInterface {
  name = 'FinishedExecutions1797700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX executions_finished ON executions (finished_at) WHERE finished_at IS NOT NULL`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
