import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Of the calls that repeat each other by one key, the first: what services dedupe by beside the key, which is another
 * request's after 24 hours. Null where a gateway of the version before took the key: it hands on the key alone.
 */
export class IdempotencyFirstCall1798300000000 implements MigrationInterface {
  name = 'IdempotencyFirstCall1798300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE idempotency ADD COLUMN first_call uuid`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
