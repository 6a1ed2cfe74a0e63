import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Mcp1795550100000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // *_sealed columns hold headers, environments, OAuth clients and tokens, encrypted.
    await runner.query(`
      CREATE TABLE mcp_servers (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        name text NOT NULL,
        url text,
        command text,
        args text[] NOT NULL DEFAULT '{}',
        transport text,
        header_names text[] NOT NULL DEFAULT '{}',
        env_names text[] NOT NULL DEFAULT '{}',
        secrets_sealed text NOT NULL,
        oauth_sealed text,
        is_authorized boolean NOT NULL DEFAULT false,
        status text NOT NULL DEFAULT 'unknown',
        status_reason text,
        tools text NOT NULL DEFAULT '[]',
        tools_refreshed_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((url IS NULL) <> (command IS NULL)),
        UNIQUE (account_id, name)
      )`);
    await runner.query(`
      CREATE TABLE mcp_access (
        server_id uuid NOT NULL REFERENCES mcp_servers (id) ON DELETE CASCADE,
        agent_id uuid NOT NULL,
        account_id uuid NOT NULL,
        access_mode text NOT NULL,
        tools text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (server_id, agent_id)
      )`);
    await runner.query(`CREATE INDEX mcp_access_agent ON mcp_access (agent_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE mcp_access, mcp_servers`);
  }
}
