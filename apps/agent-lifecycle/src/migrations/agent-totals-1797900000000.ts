import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An account's quotas and the totals of its lists count its agents: in this index, whose equal entries take little room,
 * instead of in their rows.
 */
export class AgentTotals1797900000000 implements MigrationInterface {
  name = 'AgentTotals1797900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX agents_totals ON agents (account_id, status, pvc_size)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
