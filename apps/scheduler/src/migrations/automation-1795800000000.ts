import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which executions are open whatever their status is called, and since when slots that are due were due on time. */
export class Automation1795800000000 implements MigrationInterface {
  name = 'Automation1795800000000';

  async up(runner: QueryRunner): Promise<void> {
    // Beside executions_open, which the version before reads; the next one takes that away.
    await runner.query(
      `CREATE INDEX executions_unfinished ON executions (schedule_id) WHERE finished_at IS NULL AND schedule_id IS NOT NULL`,
    );
    // One row. seen_at: a scheduler ran then. up_since: since when one has always run. caught_up_at: all that was due by
    // then had been taken.
    await runner.query(`
      CREATE TABLE firing_clock (
        id boolean PRIMARY KEY DEFAULT true CHECK (id),
        seen_at timestamptz NOT NULL DEFAULT '-infinity',
        up_since timestamptz NOT NULL DEFAULT '-infinity',
        caught_up_at timestamptz NOT NULL DEFAULT '-infinity'
      )`);
    await runner.query(`INSERT INTO firing_clock DEFAULT VALUES`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
