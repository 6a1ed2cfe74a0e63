import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Idempotency1795560100000 implements MigrationInterface {
  name = 'Idempotency1795560100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency (
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        key text NOT NULL,
        fingerprint text NOT NULL,
        status integer,
        body json,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account_id, key)
      )`);
    await runner.query(`CREATE INDEX idempotency_created ON idempotency (created_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
