import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An agent's deliveries go with it: without it each deletion of an agent reads those of all. */
export class DeliveriesByAgent1797700000000 implements MigrationInterface {
  name = 'DeliveriesByAgent1797700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX deliveries_agent ON deliveries (agent_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
