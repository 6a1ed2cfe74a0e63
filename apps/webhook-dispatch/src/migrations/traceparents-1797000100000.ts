import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace that an event belongs to, which the attempts to send it go on with. */
export class Traceparents1797000100000 implements MigrationInterface {
  name = 'Traceparents1797000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE events ADD COLUMN traceparent text`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
