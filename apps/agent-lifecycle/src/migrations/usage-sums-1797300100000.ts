import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sums over all models and sources, `account_sum` and `agent_sum`: what reports by day and budgets are read from. */
export class UsageSums1797300100000 implements MigrationInterface {
  name = 'UsageSums1797300100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE usage_rollups DROP CONSTRAINT usage_rollups_grain_check`);
    await runner.query(
      `ALTER TABLE usage_rollups ADD CONSTRAINT usage_rollups_grain_check
         CHECK (grain IN ('account_sum', 'account_quarter', 'agent_sum', 'agent_quarter', 'agent_day'))`,
    );
    // `model` and `source` are empty in them.
    await runner.query(`
      INSERT INTO usage_rollups (account_id, grain, starts_at, agent_id, model, source, steps, input_tokens, output_tokens,
        cached_input_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd, unpriced_steps)
      SELECT account_id, replace(grain, 'quarter', 'sum'), starts_at, agent_id, '', '', sum(steps), sum(input_tokens), sum(output_tokens),
        sum(cached_input_tokens), sum(cache_write_tokens), sum(reasoning_tokens), sum(cost_nano_usd), sum(unpriced_steps)
      FROM usage_rollups WHERE grain IN ('account_quarter', 'agent_quarter')
      GROUP BY account_id, grain, starts_at, agent_id`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
