import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts whose people operate this Roost: they may see and change all accounts. The one of a fresh machine does. */
export class AccountOperators1797300000000 implements MigrationInterface {
  name = 'AccountOperators1797300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE accounts ADD COLUMN is_operator boolean NOT NULL DEFAULT false`);
    await runner.query(`UPDATE accounts SET is_operator = true WHERE name = 'local'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE accounts DROP COLUMN is_operator`);
  }
}
