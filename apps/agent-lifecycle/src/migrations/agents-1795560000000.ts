import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Agents1795560000000 implements MigrationInterface {
  name = 'Agents1795560000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    // `secrets` holds keys, bot tokens, custom_env and mcp_servers, sealed; `configuration` the rest of it.
    await runner.query(`
      CREATE TABLE agents (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        name text NOT NULL,
        description text,
        status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'stopped', 'error')),
        status_reason text,
        revision bigint NOT NULL DEFAULT 1,
        pvc_size text NOT NULL,
        session_mode text NOT NULL,
        warmth_window_ms integer,
        output_token_balance bigint NOT NULL CHECK (output_token_balance >= 0),
        total_output_tokens_used bigint NOT NULL DEFAULT 0,
        system_prompt text,
        system_prompt_type text NOT NULL,
        configuration jsonb NOT NULL DEFAULT '{}',
        secrets text NOT NULL,
        has_discord boolean NOT NULL DEFAULT false,
        has_slack boolean NOT NULL DEFAULT false,
        has_telegram boolean NOT NULL DEFAULT false,
        mcp_server_count integer NOT NULL DEFAULT 0,
        volume_files bigint,
        volume_bytes bigint,
        volume_modified_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX agents_created ON agents (account_id, created_at, id)`);
    await runner.query(`CREATE INDEX agents_updated ON agents (account_id, updated_at, id)`);
    await runner.query(`CREATE INDEX agents_name ON agents (account_id, name, id)`);
    await runner.query(`CREATE INDEX agents_bots ON agents (id) WHERE has_discord OR has_slack OR has_telegram`);
    await runner.query(`
      CREATE TABLE balance_ledger (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
        account_id uuid NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL CHECK (reason IN ('created', 'set', 'added', 'used')),
        step_id text,
        output_tokens bigint NOT NULL,
        balance_before bigint NOT NULL,
        balance_after bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE UNIQUE INDEX balance_ledger_step ON balance_ledger (agent_id, step_id)`);
    await runner.query(`CREATE INDEX balance_ledger_created ON balance_ledger (created_at)`);
    // Initial files wait here until they are in the workspace.
    await runner.query(`
      CREATE TABLE pending_files (
        agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
        position integer NOT NULL,
        path text NOT NULL,
        content bytea NOT NULL,
        PRIMARY KEY (agent_id, position)
      )`);
    // A volume is deleted only when its agent's deletion is on record: an empty database must not empty the disk.
    await runner.query(`
      CREATE TABLE deleted_agents (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        deleted_at timestamptz NOT NULL DEFAULT now(),
        volume_removed_at timestamptz
      )`);
    await runner.query(
      `CREATE INDEX deleted_agents_volume ON deleted_agents (deleted_at) WHERE volume_removed_at IS NULL`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
