import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The approval that a message was found to settle: noted before, so that a repeated try is not taken for another message. */
export class SettledByMessages1798200000000 implements MigrationInterface {
  name = 'SettledByMessages1798200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE inbound_events ADD COLUMN approval_id text`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
