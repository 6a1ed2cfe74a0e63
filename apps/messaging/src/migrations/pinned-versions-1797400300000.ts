import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Versions of agents' configurations that answer: of single messages, and of whole conversations. */
export class PinnedVersions1797400300000 implements MigrationInterface {
  name = 'PinnedVersions1797400300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE messages ADD COLUMN version integer`);
    await runner.query(`ALTER TABLE conversations ADD COLUMN pinned_version integer`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
