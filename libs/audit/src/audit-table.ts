import type { QueryRunner } from 'typeorm';

/** Records cannot be deleted sooner, whatever the configured retention and whoever asks. */
export const LEAST_RETENTION_DAYS = 30;

/**
 * Makes a schema's table of audit records; called by a migration of each service that owns what is audited. The table
 * only grows: the database refuses every change of a record, and every deletion of one younger than 30 days.
 */
export async function createAuditTable(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE audit (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      account_id uuid,
      actor_type text NOT NULL,
      actor_id text NOT NULL,
      action text NOT NULL,
      target_type text NOT NULL,
      target_id text NOT NULL,
      fields text[] NOT NULL DEFAULT '{}',
      request_id text
    )`);
  await runner.query(`CREATE INDEX audit_at ON audit (at, id)`);
  await runner.query(`CREATE INDEX audit_account ON audit (account_id, at, id)`);
  await runner.query(`CREATE INDEX audit_actor ON audit (account_id, actor_type, actor_id, at, id)`);
  await runner.query(`CREATE INDEX audit_action ON audit (account_id, action, at, id)`);
  await runner.query(`CREATE INDEX audit_target ON audit (account_id, target_id, at, id)`);
  await runner.query(`
    CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'DELETE' AND OLD.at < now() - interval '${LEAST_RETENTION_DAYS} days' THEN RETURN OLD; END IF;
      RAISE EXCEPTION 'audit records are not changed' USING ERRCODE = 'insufficient_privilege';
    END $$`);
  await runner.query(
    `CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
  );
  await runner.query(
    `CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`,
  );
  // Beside the triggers: whoever disables one has to take the rights back first, which shows.
  await runner.query(`REVOKE UPDATE, TRUNCATE ON audit FROM CURRENT_USER`);
}
