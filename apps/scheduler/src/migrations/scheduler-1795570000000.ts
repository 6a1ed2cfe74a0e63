import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Scheduler1795570000000 implements MigrationInterface {
  name = 'Scheduler1795570000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    // Whose an agent is, fed by lifecycle. A deleted one stays as a tombstone: a late create finds it.
    await runner.query(`
      CREATE TABLE agents (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        status text NOT NULL,
        revision bigint NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE schedules (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        name text NOT NULL,
        cron_expression text NOT NULL,
        message_template text NOT NULL,
        timezone text NOT NULL,
        enabled boolean NOT NULL,
        queue_mode text NOT NULL,
        overlap text NOT NULL,
        catch_up text NOT NULL,
        last_run_at timestamptz,
        next_run_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX schedules_due ON schedules (next_run_at) WHERE next_run_at IS NOT NULL`);
    await runner.query(`CREATE INDEX schedules_agent ON schedules (agent_id, id)`);
    await runner.query(`CREATE INDEX schedules_account ON schedules (account_id)`);
    // secret: sealed, since an HMAC needs the secret itself; previous_secret works until previous_until.
    await runner.query(`
      CREATE TABLE triggers (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        name text NOT NULL,
        message_template text NOT NULL,
        enabled boolean NOT NULL,
        secret text NOT NULL,
        previous_secret text,
        previous_until timestamptz,
        allowed_at timestamptz NOT NULL DEFAULT '-infinity',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX triggers_agent ON triggers (agent_id, id)`);
    await runner.query(`CREATE INDEX triggers_account ON triggers (account_id)`);
    // content: what is to be sent, null once it was. slot: null for runs by hand and triggers. send_at: when the next
    // try to send is due, null when there is nothing to send.
    await runner.query(`
      CREATE TABLE executions (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        schedule_id uuid REFERENCES schedules ON DELETE CASCADE,
        trigger_id uuid REFERENCES triggers ON DELETE CASCADE,
        slot timestamptz,
        scheduled_for timestamptz NOT NULL,
        delivery_id text,
        status text NOT NULL,
        content text,
        metadata jsonb NOT NULL DEFAULT '{}',
        queue_mode text NOT NULL,
        send_at timestamptz,
        send_attempts integer NOT NULL DEFAULT 0,
        message_id text,
        error text,
        started_at timestamptz,
        finished_at timestamptz,
        UNIQUE (schedule_id, slot),
        UNIQUE (trigger_id, delivery_id)
      )`);
    await runner.query(`CREATE INDEX executions_unsent ON executions (send_at) WHERE send_at IS NOT NULL`);
    await runner.query(`CREATE INDEX executions_schedule ON executions (schedule_id, scheduled_for DESC, id DESC)`);
    await runner.query(`CREATE INDEX executions_trigger ON executions (trigger_id, scheduled_for DESC, id DESC)`);
    await runner.query(
      `CREATE INDEX executions_open ON executions (schedule_id) WHERE status IN ('pending', 'running')`,
    );
    await runner.query(
      `CREATE UNIQUE INDEX executions_message ON executions (message_id) WHERE message_id IS NOT NULL`,
    );
    await runner.query(`CREATE INDEX executions_agent ON executions (agent_id)`);
    // An outcome may arrive before the sender has written down its message's id.
    await runner.query(`
      CREATE TABLE early_outcomes (
        message_id text PRIMARY KEY,
        status text NOT NULL,
        error text,
        at timestamptz NOT NULL
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
