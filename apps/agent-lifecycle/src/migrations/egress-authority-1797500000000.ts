import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The certificate authority that sandboxes trust: one of the installation, made by whichever replica needs it first. */
export class EgressAuthority1797500000000 implements MigrationInterface {
  name = 'EgressAuthority1797500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE egress_authority (
        id text PRIMARY KEY CHECK (id = 'installation'),
        certificate text NOT NULL,
        sealed_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
