import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Questions about calls of tools, as rows beside the parts of replies: what they are, and whether they are followed up. */
export class ApprovalCards1797400000000 implements MigrationInterface {
  name = 'ApprovalCards1797400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE deliveries ADD COLUMN card jsonb`);
    await runner.query(`ALTER TABLE deliveries ADD COLUMN is_followed_up boolean NOT NULL DEFAULT false`);
    await runner.query(
      `CREATE INDEX deliveries_open_cards ON deliveries (id) WHERE card->>'kind' = 'ask' AND NOT is_followed_up`,
    );
    await runner.query(`CREATE INDEX deliveries_cards ON deliveries ((card->>'approvalId')) WHERE card IS NOT NULL`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
