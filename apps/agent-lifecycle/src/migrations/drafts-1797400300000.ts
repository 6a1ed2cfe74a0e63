import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Versions that an agent does not have, to be tried. */
export class Drafts1797400300000 implements MigrationInterface {
  name = 'Drafts1797400300000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agent_versions ADD COLUMN is_draft boolean NOT NULL DEFAULT false`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
