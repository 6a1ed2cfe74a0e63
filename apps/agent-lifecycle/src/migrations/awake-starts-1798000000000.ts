import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `running_since`: since when a workspace is known to run; whoever put it to sleep before that does not give its lease
 * up. `starts_after`: the workspaces that gave up their leases for it, which must sleep before it starts.
 */
export class AwakeStarts1798000000000 implements MigrationInterface {
  name = 'AwakeStarts1798000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE awake_workspaces
        ADD COLUMN running_since timestamptz,
        ADD COLUMN starts_after uuid[] NOT NULL DEFAULT '{}'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
