import type { QueryRunner } from 'typeorm';

/**
 * Makes the table of accounts whose belongings a service removes or has removed: what a request that was under way
 * leaves behind afterwards is found by it. `removed_at` is null until nothing was left.
 */
export async function createDeletedAccounts(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE deleted_accounts (
      account_id uuid PRIMARY KEY,
      deleted_at timestamptz NOT NULL DEFAULT now(),
      removed_at timestamptz
    )`);
  await runner.query(`CREATE INDEX deleted_accounts_deleted ON deleted_accounts (deleted_at)`);
}
