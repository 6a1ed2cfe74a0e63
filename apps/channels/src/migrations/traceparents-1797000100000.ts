import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The trace that a chat message begins, and the one that a reply belongs to. */
export class Traceparents1797000100000 implements MigrationInterface {
  name = 'Traceparents1797000100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE inbound_events ADD COLUMN traceparent text`);
    await runner.query(`ALTER TABLE deliveries ADD COLUMN traceparent text`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
