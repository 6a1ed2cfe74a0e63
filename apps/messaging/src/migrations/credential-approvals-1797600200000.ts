import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Approvals of the kind `credential` (docs/decisions/0051): no run waits for them, and there is one of a request at a time. */
export class CredentialApprovals1797600200000 implements MigrationInterface {
  name = 'CredentialApprovals1797600200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE approvals ADD COLUMN grant_id uuid, ALTER COLUMN run_id DROP NOT NULL, ALTER COLUMN turn_id DROP NOT NULL,
        ALTER COLUMN conversation_id DROP NOT NULL, ALTER COLUMN tool_call_id DROP NOT NULL`);
    await runner.query(
      `CREATE UNIQUE INDEX approvals_open_credential ON approvals (grant_id, hash)
       WHERE grant_id IS NOT NULL AND status = 'pending'`,
    );
    await runner.query(
      `CREATE INDEX approvals_credential ON approvals (grant_id, hash, created_at) WHERE grant_id IS NOT NULL`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
