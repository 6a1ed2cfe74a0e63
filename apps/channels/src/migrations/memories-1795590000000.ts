import type { QueryRunner } from 'typeorm';

/** What a connection leaves for the next one of the same bot: Discord's sessions, to be resumed. */
export class Memories1795590000000 {
  name = 'Memories1795590000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE connection_leases ADD COLUMN memory text`);
  }

  async down(): Promise<void> {}
}
