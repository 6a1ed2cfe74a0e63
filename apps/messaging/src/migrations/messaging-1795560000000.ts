import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `agents` is both the projection of lifecycle's agents and the queue: its row is locked by whatever changes the
 * agent's messages or turn, so `seq` is the order of commits within an agent. `next_at` says since when (or from
 * when) the agent has something to claim; `running_turn` bars a second turn.
 */
export class Messaging1795560000000 implements MigrationInterface {
  name = 'Messaging1795560000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    await runner.query(`CREATE INDEX outbox_key ON outbox (key, id)`);
    await runner.query(`
      CREATE TABLE agents (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        status text NOT NULL,
        revision bigint NOT NULL,
        fence bigint NOT NULL DEFAULT 0,
        running_turn uuid,
        next_at timestamptz,
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(
      `CREATE INDEX agents_claimable ON agents (next_at)
         WHERE next_at IS NOT NULL AND running_turn IS NULL AND status = 'active'`,
    );
    await runner.query(`CREATE INDEX agents_deleted ON agents (updated_at) WHERE status = 'deleted'`);
    await runner.query(`
      CREATE TABLE conversations (
        agent_id uuid NOT NULL,
        id text NOT NULL,
        account_id uuid NOT NULL,
        channel text NOT NULL,
        counterparty_id text NOT NULL,
        counterparty_name text,
        message_count bigint NOT NULL DEFAULT 0,
        ready_at timestamptz,
        partial_reply text NOT NULL DEFAULT '',
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (agent_id, id)
      )`);
    await runner.query(
      `CREATE INDEX conversations_ready ON conversations (agent_id, ready_at) WHERE ready_at IS NOT NULL`,
    );
    await runner.query(`CREATE INDEX conversations_active ON conversations (agent_id, updated_at DESC, id)`);
    await runner.query(`
      CREATE TABLE messages (
        id text PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        conversation_id text NOT NULL,
        role text NOT NULL,
        content text NOT NULL,
        metadata jsonb NOT NULL DEFAULT '{}',
        status text NOT NULL,
        channel text NOT NULL,
        queue_mode text,
        reply_to_id text,
        turn_id uuid,
        dedupe_key text,
        attempts int NOT NULL DEFAULT 0,
        batch_max int,
        error jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        delivered_at timestamptz,
        read_at timestamptz
      )`);
    await runner.query(`CREATE INDEX messages_agent ON messages (agent_id, seq)`);
    await runner.query(`CREATE INDEX messages_conversation ON messages (agent_id, conversation_id, seq)`);
    await runner.query(
      `CREATE INDEX messages_pending ON messages (agent_id, conversation_id, seq) WHERE status = 'pending'`,
    );
    await runner.query(
      `CREATE INDEX messages_unread ON messages (agent_id, conversation_id) WHERE role = 'assistant' AND status <> 'read'`,
    );
    await runner.query(`CREATE INDEX messages_turn ON messages (turn_id) WHERE turn_id IS NOT NULL`);
    await runner.query(
      `CREATE UNIQUE INDEX messages_dedupe ON messages (agent_id, dedupe_key) WHERE dedupe_key IS NOT NULL`,
    );
    await runner.query(`
      CREATE TABLE turns (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        conversation_id text NOT NULL,
        worker_id text NOT NULL,
        fencing_token bigint NOT NULL,
        attempt int NOT NULL,
        state text NOT NULL DEFAULT 'running',
        cancelled boolean NOT NULL DEFAULT false,
        lease_until timestamptz NOT NULL,
        partial_reply text NOT NULL DEFAULT '',
        message_ids jsonb NOT NULL,
        will_retry boolean NOT NULL DEFAULT false,
        reply_ids jsonb NOT NULL DEFAULT '[]',
        started_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz
      )`);
    await runner.query(`CREATE INDEX turns_lease ON turns (lease_until) WHERE state = 'running'`);
    await runner.query(`CREATE INDEX turns_agent ON turns (agent_id)`);
    await runner.query(`CREATE INDEX turns_ended ON turns (ended_at) WHERE ended_at IS NOT NULL`);
    await runner.query(`
      CREATE FUNCTION wire_time(at timestamptz) RETURNS text STABLE LANGUAGE sql AS
      $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$`);
    // The wire form of contracts' Message, so that one statement can write rows and the events that carry them.
    await runner.query(`
      CREATE FUNCTION wire_message(m messages) RETURNS jsonb STABLE LANGUAGE sql AS $$
        SELECT jsonb_build_object(
          'id', m.id, 'role', m.role, 'content', m.content, 'metadata', m.metadata, 'status', m.status,
          'channel', m.channel, 'queue_mode', m.queue_mode, 'conversation_id', m.conversation_id,
          'reply_to_id', m.reply_to_id, 'created_at', wire_time(m.created_at),
          'delivered_at', wire_time(m.delivered_at), 'read_at', wire_time(m.read_at), 'error', m.error)
      $$`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
