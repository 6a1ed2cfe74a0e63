import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Budgets that are exhausted, as lifecycle tells: of an account, or of one of its agents. `agents.lacks_budget`: the agent
 * would be active, and is paused for one of them. The previous version leaves it alone.
 */
export class Budgets1797000400000 implements MigrationInterface {
  name = 'Budgets1797000400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE budget_blocks (
        budget_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid,
        is_exhausted boolean NOT NULL,
        until timestamptz NOT NULL,
        revision bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX budget_blocks_account ON budget_blocks (account_id) WHERE is_exhausted`);
    await runner.query(`CREATE INDEX budget_blocks_updated ON budget_blocks (updated_at) WHERE NOT is_exhausted`);
    await runner.query(`ALTER TABLE agents ADD COLUMN lacks_budget boolean NOT NULL DEFAULT false`);
    await runner.query(`CREATE INDEX agents_account ON agents (account_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
