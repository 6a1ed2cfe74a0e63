import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which version of its agent's configuration an attempt ran with; null in those of before. */
export class Versions1797100000000 implements MigrationInterface {
  name = 'Versions1797100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE attempts ADD COLUMN configuration_version integer`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
