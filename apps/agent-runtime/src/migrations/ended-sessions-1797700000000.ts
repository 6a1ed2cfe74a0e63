import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Retention looks for sessions that ended long ago, which without it are all there are. */
export class EndedSessions1797700000000 implements MigrationInterface {
  name = 'EndedSessions1797700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX sessions_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
