import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Counts what an account has waiting. Small: a message leaves it when it is delivered. */
export class Waiting1795900000000 implements MigrationInterface {
  name = 'Waiting1795900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX messages_waiting ON messages (account_id) WHERE status = 'pending'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
