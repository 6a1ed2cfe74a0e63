import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The last of the messages that the turn of a preview answers: a reply to it is another attempt's, and takes the preview over. */
export class AnsweredByPreviews1798000000000 implements MigrationInterface {
  name = 'AnsweredByPreviews1798000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE deliveries ADD COLUMN answers text`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
