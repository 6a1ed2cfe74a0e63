import { createAuditTable } from '#lib/audit';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Audit1797000200000 implements MigrationInterface {
  name = 'Audit1797000200000';

  async up(runner: QueryRunner): Promise<void> {
    await createAuditTable(runner);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
