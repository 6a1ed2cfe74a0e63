import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace that a message belongs to, which its turn goes on with; null without one, and in rows of the version before. */
export class Traceparents1797000100000 implements MigrationInterface {
  name = 'Traceparents1797000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE messages ADD COLUMN traceparent text`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
