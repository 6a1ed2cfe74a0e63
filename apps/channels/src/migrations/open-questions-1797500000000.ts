import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an agent has asked and is looked for with every message: a plain one may be the answer. */
export class OpenQuestions1797500000000 implements MigrationInterface {
  name = 'OpenQuestions1797500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX deliveries_asked ON deliveries (agent_id, id) WHERE card IS NOT NULL AND card->>'kind' = 'ask'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
