import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Runs (docs/decisions/0038): the row of a run's first turn is the run's row, with `run_status`; later attempts name it in
 * `run_id`. `conversations.open_run`: the run that the conversation's next turn continues. The previous version leaves
 * all of them null.
 */
export class Runs1797000200000 implements MigrationInterface {
  name = 'Runs1797000200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE turns
        ADD COLUMN run_id uuid,
        ADD COLUMN run_status text,
        ADD COLUMN source text,
        ADD COLUMN error jsonb,
        ADD COLUMN is_cancel_requested boolean NOT NULL DEFAULT false`);
    await runner.query(`ALTER TABLE conversations ADD COLUMN open_run uuid`);
    await runner.query(`CREATE INDEX turns_runs ON turns (agent_id, started_at, id)`);
    await runner.query(
      `CREATE INDEX turns_runs_by_status ON turns (agent_id, run_status, source, started_at, id) WHERE run_id IS NULL`,
    );
    await runner.query(`CREATE INDEX turns_attempts ON turns (run_id, fencing_token) WHERE run_id IS NOT NULL`);
    await runner.query(`DROP INDEX turns_agent`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
