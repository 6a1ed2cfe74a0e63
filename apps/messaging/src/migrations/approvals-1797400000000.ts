import { createAuditTable } from '#lib/audit';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Approvals (docs/decisions/0048). `conversations.suspended_run`: the run that waits for decisions; until then nothing of
 * the conversation can be claimed. The database sees to it by itself: a version before this one, beside it during an
 * upgrade, would make the conversation ready again with the next message.
 */
export class Approvals1797400000000 implements MigrationInterface {
  name = 'Approvals1797400000000';

  async up(runner: QueryRunner): Promise<void> {
    // Arguments are JSON kept as text: jsonb refuses the NUL characters that a model may write.
    await runner.query(`
      CREATE TABLE approvals (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        run_id uuid NOT NULL,
        turn_id uuid NOT NULL,
        conversation_id text NOT NULL,
        source text NOT NULL,
        message_ids jsonb NOT NULL,
        kind text NOT NULL,
        tool text NOT NULL,
        tool_call_id text NOT NULL,
        arguments text NOT NULL,
        hash text NOT NULL,
        rule int,
        approvers jsonb,
        status text NOT NULL DEFAULT 'pending',
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        expires_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by_type text,
        decided_by_id text,
        decision text,
        message text,
        edited_arguments text,
        edited_hash text,
        answer text,
        shown jsonb NOT NULL DEFAULT '[]',
        started_fence bigint,
        started_at timestamptz
      )`);
    await runner.query(`CREATE INDEX approvals_account ON approvals (account_id, status, created_at, id)`);
    await runner.query(`CREATE INDEX approvals_agent ON approvals (agent_id, status, created_at, id)`);
    await runner.query(`CREATE INDEX approvals_run ON approvals (run_id, created_at)`);
    await runner.query(`CREATE INDEX approvals_due ON approvals (expires_at) WHERE status = 'pending'`);
    await runner.query(`CREATE INDEX approvals_decided ON approvals (decided_at) WHERE status <> 'pending'`);
    await runner.query(`ALTER TABLE conversations ADD COLUMN suspended_run uuid`);
    await runner.query(
      `CREATE INDEX conversations_suspended ON conversations (agent_id, id) WHERE suspended_run IS NOT NULL`,
    );
    await runner.query(`
      CREATE FUNCTION stay_suspended() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.ready_at := NULL; RETURN NEW; END $$`);
    await runner.query(`
      CREATE TRIGGER conversations_stay_suspended BEFORE UPDATE ON conversations FOR EACH ROW
      WHEN (NEW.suspended_run IS NOT NULL AND NEW.ready_at IS NOT NULL) EXECUTE FUNCTION stay_suspended()`);
    await createAuditTable(runner);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
