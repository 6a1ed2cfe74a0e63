import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How MCP servers in agents' own configurations are doing. */
export class OwnMcpServers1797400300000 implements MigrationInterface {
  name = 'OwnMcpServers1797400300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE own_mcp_servers (
        agent_id uuid NOT NULL,
        name text NOT NULL,
        account_id uuid NOT NULL,
        status text NOT NULL,
        reason text,
        checked_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (agent_id, name)
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
