import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Previews whose turn goes on, or was lost: looked for by their place whenever a reply begins to be shown. */
export class OpenPreviews1797600000000 implements MigrationInterface {
  name = 'OpenPreviews1797600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX deliveries_previews ON deliveries (agent_id, place) WHERE state = 'preview'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
