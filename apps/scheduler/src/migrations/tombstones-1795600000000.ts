import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When an agent was deleted, so that its tombstone does not stay for ever. */
export class Tombstones1795600000000 implements MigrationInterface {
  name = 'Tombstones1795600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agents ADD COLUMN deleted_at timestamptz`);
    await runner.query(`UPDATE agents SET deleted_at = now() WHERE status = 'deleted'`);
    await runner.query(`CREATE INDEX agents_deleted ON agents (deleted_at) WHERE deleted_at IS NOT NULL`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
