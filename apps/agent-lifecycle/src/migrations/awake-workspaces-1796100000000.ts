import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which workspaces are awake, or about to be, for the quota of an account. Leases: what nobody renews counts no more.
 * No reference to `agents`: a workspace outlives its agent's row by the moment that its removal takes.
 */
export class AwakeWorkspaces1796100000000 implements MigrationInterface {
  name = 'AwakeWorkspaces1796100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE awake_workspaces (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        is_running boolean NOT NULL DEFAULT false,
        used_until timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
      )`);
    await runner.query(`CREATE INDEX awake_workspaces_account ON awake_workspaces (account_id)`);
    await runner.query(`CREATE INDEX awake_workspaces_expires ON awake_workspaces (expires_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
