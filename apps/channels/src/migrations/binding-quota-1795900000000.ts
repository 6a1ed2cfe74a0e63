import type { QueryRunner } from 'typeorm';

/** The check at a new link counts those of an account. */
export class BindingQuota1795900000000 {
  name = 'BindingQuota1795900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX bindings_account ON bindings (account_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX bindings_account`);
  }
}
