import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace of the request that made an execution; a schedule's slot begins one of its own when its message is sent. */
export class Traceparents1797000100000 implements MigrationInterface {
  name = 'Traceparents1797000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE executions ADD COLUMN traceparent text`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
