import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far an execution's turns are known: what arrives late or again changes nothing. */
export class ExecutionTurns1796100000000 implements MigrationInterface {
  name = 'ExecutionTurns1796100000000';

  async up(runner: QueryRunner): Promise<void> {
    // Twice the turn's fencing token; one more when that turn has returned its messages.
    await runner.query(`ALTER TABLE executions ADD COLUMN turn_order bigint NOT NULL DEFAULT 0`);
    await runner.query(`ALTER TABLE early_outcomes ADD COLUMN turn_order bigint NOT NULL DEFAULT 0`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
