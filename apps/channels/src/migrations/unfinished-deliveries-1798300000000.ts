import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What waits for a bot that nobody connects, and previews that nobody ended, are looked for by their age. */
export class UnfinishedDeliveries1798300000000 implements MigrationInterface {
  name = 'UnfinishedDeliveries1798300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX deliveries_unfinished ON deliveries (created_at) WHERE state IN ('pending', 'sending', 'preview')`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
