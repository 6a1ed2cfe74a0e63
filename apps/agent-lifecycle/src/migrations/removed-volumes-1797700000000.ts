import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Retention looks for agents whose volume went long ago, which without it are all that were deleted. */
export class RemovedVolumes1797700000000 implements MigrationInterface {
  name = 'RemovedVolumes1797700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX deleted_agents_removed ON deleted_agents (volume_removed_at) WHERE volume_removed_at IS NOT NULL`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
