import type { MigrationInterface, QueryRunner } from 'typeorm';

export class McpHealth1796010000000 implements MigrationInterface {
  name = 'McpHealth1796010000000';

  async up(runner: QueryRunner): Promise<void> {
    // `checked_at`: of the last try. `stderr_tail`: of a stdio server's last failure. `authorization_asked_at`: when the
    // owner was told that authorization is needed; null as soon as the server can be used again.
    await runner.query(`
      ALTER TABLE mcp_servers
        ADD COLUMN checked_at timestamptz,
        ADD COLUMN stderr_tail text,
        ADD COLUMN authorization_asked_at timestamptz`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mcp_servers DROP COLUMN checked_at, DROP COLUMN stderr_tail, DROP COLUMN authorization_asked_at`);
  }
}
