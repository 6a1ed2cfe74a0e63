import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Vault1797500200000 implements MigrationInterface {
  name = 'Vault1797500200000';

  async up(runner: QueryRunner): Promise<void> {
    // `settings` is what of the credential may be shown; `sealed_value` is all of it.
    await runner.query(`
      CREATE TABLE vault_secrets (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        name text NOT NULL,
        description text,
        kind text NOT NULL,
        settings jsonb NOT NULL,
        sealed_value text NOT NULL,
        hosts text[] NOT NULL,
        methods text[],
        path_prefixes text[],
        placements text[] NOT NULL,
        last_used_at timestamptz,
        last_used_by uuid,
        rotated_at timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (account_id, name)
      )`);
    await runner.query(`
      CREATE TABLE vault_grants (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        secret_id uuid NOT NULL REFERENCES vault_secrets (id) ON DELETE CASCADE,
        agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
        env_name text,
        placeholder text UNIQUE,
        mode text NOT NULL DEFAULT 'always',
        use_count bigint NOT NULL DEFAULT 0,
        last_used_at timestamptz,
        refusal_count bigint NOT NULL DEFAULT 0,
        last_refused_at timestamptz,
        last_refusal text,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (agent_id, secret_id),
        UNIQUE (agent_id, env_name)
      )`);
    await runner.query(`CREATE INDEX vault_grants_secret ON vault_grants (secret_id)`);
    await runner.query(`CREATE INDEX vault_grants_account ON vault_grants (account_id)`);
    // Tokens that were fetched by a secret's credential, and who is fetching one.
    await runner.query(`
      CREATE TABLE vault_tokens (
        secret_id uuid PRIMARY KEY REFERENCES vault_secrets (id) ON DELETE CASCADE,
        sealed_token text,
        expires_at timestamptz,
        lease uuid,
        lease_until timestamptz
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
