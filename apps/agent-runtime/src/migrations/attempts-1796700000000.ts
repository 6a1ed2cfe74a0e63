import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What happened inside each attempt of a run, as one document, with its sums (docs/decisions/0038). It takes the place of
 * `turn_usage`, which only the previous version writes, and which is to be taken away by the next.
 */
export class Attempts1796700000000 implements MigrationInterface {
  name = 'Attempts1796700000000';

  async up(runner: QueryRunner): Promise<void> {
    // cost_nano_usd is null when the price of a step was not known.
    await runner.query(`
      CREATE TABLE attempts (
        run_id uuid NOT NULL,
        turn_id uuid NOT NULL,
        fencing_token bigint NOT NULL,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        session_id uuid,
        steps text NOT NULL,
        input_tokens bigint NOT NULL,
        output_tokens bigint NOT NULL,
        cached_input_tokens bigint NOT NULL,
        reasoning_tokens bigint NOT NULL,
        cost_nano_usd bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (run_id, turn_id)
      )`);
    await runner.query(`CREATE INDEX attempts_agent ON attempts (agent_id)`);
    await runner.query(`CREATE INDEX attempts_created ON attempts (created_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
