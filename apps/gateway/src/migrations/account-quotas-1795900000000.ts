import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Limits that an operator gave one account; without a row the limit for all counts. */
export class AccountQuotas1795900000000 implements MigrationInterface {
  name = 'AccountQuotas1795900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE account_quotas (
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        quota text NOT NULL,
        max_amount bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account_id, quota)
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
