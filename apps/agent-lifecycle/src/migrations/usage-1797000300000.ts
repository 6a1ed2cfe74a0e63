import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What each model step used, in its row of the ledger, and sums of it (docs/decisions/0039). `xid`: the transaction that
 * wrote the row, by which a sweep knows what it has summed. Rows of the previous version have no `model` and are not
 * summed.
 */
export class Usage1797000300000 implements MigrationInterface {
  name = 'Usage1797000300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE balance_ledger
        ADD COLUMN model text,
        ADD COLUMN source text,
        ADD COLUMN input_tokens bigint,
        ADD COLUMN used_output_tokens bigint,
        ADD COLUMN cached_input_tokens bigint,
        ADD COLUMN cache_write_tokens bigint,
        ADD COLUMN reasoning_tokens bigint,
        ADD COLUMN cost_nano_usd bigint,
        ADD COLUMN xid xid8`);
    // Apart from the column: as its default from the begin it would be written into every row that is there.
    await runner.query(`ALTER TABLE balance_ledger ALTER COLUMN xid SET DEFAULT pg_current_xact_id()`);
    await runner.query(`CREATE INDEX balance_ledger_xid ON balance_ledger (xid) WHERE model IS NOT NULL`);
    // `agent_id` is null in the sums of accounts.
    await runner.query(`
      CREATE TABLE usage_rollups (
        account_id uuid NOT NULL,
        grain text NOT NULL CHECK (grain IN ('account_quarter', 'agent_quarter', 'agent_day')),
        starts_at timestamptz NOT NULL,
        agent_id uuid,
        model text NOT NULL,
        source text NOT NULL,
        steps bigint NOT NULL,
        input_tokens bigint NOT NULL,
        output_tokens bigint NOT NULL,
        cached_input_tokens bigint NOT NULL,
        cache_write_tokens bigint NOT NULL,
        reasoning_tokens bigint NOT NULL,
        cost_nano_usd numeric NOT NULL,
        unpriced_steps bigint NOT NULL,
        UNIQUE NULLS NOT DISTINCT (account_id, grain, starts_at, agent_id, model, source)
      )`);
    await runner.query(
      `CREATE INDEX usage_rollups_agent ON usage_rollups (agent_id, grain, starts_at) WHERE agent_id IS NOT NULL`,
    );
    await runner.query(`CREATE INDEX usage_rollups_starts ON usage_rollups (starts_at)`);
    await runner.query(`
      CREATE TABLE usage_state (
        id boolean PRIMARY KEY DEFAULT true CHECK (id),
        summed_below xid8 NOT NULL
      )`);
    await runner.query(`INSERT INTO usage_state (summed_below) VALUES ('0')`);
    await runner.query(`
      CREATE TABLE budgets (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
        unit text NOT NULL CHECK (unit IN ('tokens', 'usd')),
        amount bigint NOT NULL CHECK (amount > 0),
        period text NOT NULL CHECK (period IN ('day', 'month')),
        timezone text NOT NULL,
        threshold_percent integer NOT NULL,
        period_starts_at timestamptz NOT NULL,
        period_ends_at timestamptz NOT NULL,
        used numeric NOT NULL,
        is_past_threshold boolean NOT NULL,
        is_exhausted boolean NOT NULL,
        revision bigint NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX budgets_account ON budgets (account_id, agent_id)`);
    await runner.query(`CREATE INDEX budgets_agent ON budgets (agent_id) WHERE agent_id IS NOT NULL`);
    await runner.query(`CREATE INDEX budgets_exhausted ON budgets (period_ends_at) WHERE is_exhausted`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
