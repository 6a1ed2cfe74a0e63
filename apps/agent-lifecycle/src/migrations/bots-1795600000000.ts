import type { MigrationInterface, QueryRunner } from 'typeorm';

/** On which platforms an agent has a bot of its own: a list, so that a new platform needs no column. */
export class Bots1795600000000 implements MigrationInterface {
  name = 'Bots1795600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE agents ADD COLUMN bots text[] NOT NULL DEFAULT '{}'`);
    await runner.query(`
      UPDATE agents SET bots = array_remove(ARRAY[
        CASE WHEN has_discord THEN 'discord' END, CASE WHEN has_slack THEN 'slack' END,
        CASE WHEN has_telegram THEN 'telegram' END], NULL)
       WHERE has_discord OR has_slack OR has_telegram`);
    // No release wrote these: nothing older runs beside this.
    await runner.query(`DROP INDEX agents_bots`);
    await runner.query(`ALTER TABLE agents DROP COLUMN has_discord, DROP COLUMN has_slack, DROP COLUMN has_telegram`);
    await runner.query(`CREATE INDEX agents_bots ON agents (id) WHERE bots <> '{}'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
