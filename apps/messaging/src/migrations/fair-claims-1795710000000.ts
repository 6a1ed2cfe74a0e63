import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Claims go from account to account (decision 0032): by account, then by how long an agent has been ready. Agents that only
 * wait for a retry have `retry_at` and no `next_at`.
 */
export class FairClaims1795710000000 implements MigrationInterface {
  name = 'FairClaims1795710000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agents ADD COLUMN retry_at timestamptz`);
    await runner.query(`CREATE INDEX agents_retry ON agents (retry_at) WHERE retry_at IS NOT NULL`);
    await runner.query(
      `CREATE INDEX agents_claimable_by_account ON agents (account_id, next_at)
         WHERE next_at IS NOT NULL AND running_turn IS NULL AND status = 'active'`,
    );
    // The previous version claims by it; a new database has none. To be taken away by the next version.
    await runner.query(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM agents) THEN DROP INDEX agents_claimable; END IF;
      END $$`);
  }

  async down(): Promise<void> {}
}
