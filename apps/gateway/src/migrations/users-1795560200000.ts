import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Users1795560200000 implements MigrationInterface {
  name = 'Users1795560200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        email text NOT NULL UNIQUE,
        password_hash text NOT NULL,
        verified_at timestamptz,
        code_hash text,
        code_expires_at timestamptz,
        code_tries integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`
      CREATE TABLE signing_keys (
        kid text PRIMARY KEY,
        public_key jsonb NOT NULL,
        sealed_private_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz`);
    await runner.query(`CREATE INDEX api_keys_account ON api_keys (account_id, created_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
