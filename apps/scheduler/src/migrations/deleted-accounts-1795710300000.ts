import { createDeletedAccounts } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DeletedAccounts1795710300000 implements MigrationInterface {
  name = 'DeletedAccounts1795710300000';

  async up(runner: QueryRunner): Promise<void> {
    await createDeletedAccounts(runner);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
