import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A worker that was lost says little about the message it answered: it does not take one of the message's tries. */
export class LostWorkers1797900000000 implements MigrationInterface {
  name = 'LostWorkers1797900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE messages ADD COLUMN lost_workers int NOT NULL DEFAULT 0`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
