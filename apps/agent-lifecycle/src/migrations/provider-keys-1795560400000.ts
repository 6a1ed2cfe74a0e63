import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ProviderKeys1795560400000 implements MigrationInterface {
  name = 'ProviderKeys1795560400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE account_provider_keys (
        account_id uuid NOT NULL,
        provider text NOT NULL,
        sealed_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account_id, provider)
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
