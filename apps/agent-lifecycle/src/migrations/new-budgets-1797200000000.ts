import type { MigrationInterface, QueryRunner } from 'typeorm';

/** `budgets_xid`: the transaction that made the newest budget of the agent; the previous version leaves it null. */
export class NewBudgets1797200000000 implements MigrationInterface {
  name = 'NewBudgets1797200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agents ADD COLUMN budgets_xid xid8`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
