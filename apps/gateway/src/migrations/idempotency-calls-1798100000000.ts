import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which call has the key: another takes it over from one that was silent and may still end. The version before neither
 * sets nor compares it.
 */
export class IdempotencyCalls1798100000000 implements MigrationInterface {
  name = 'IdempotencyCalls1798100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE idempotency ADD COLUMN call uuid`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
