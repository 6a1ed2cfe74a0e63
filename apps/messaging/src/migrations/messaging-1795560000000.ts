import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Messaging1795560000000 implements MigrationInterface {
  name = 'Messaging1795560000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    // What messaging must know of agents, fed by lifecycle: the hot path asks nobody.
    await runner.query(`
      CREATE TABLE agents (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        status text NOT NULL,
        revision bigint NOT NULL
      )`);
    await runner.query(`
      CREATE TABLE conversations (
        agent_id uuid NOT NULL,
        id text NOT NULL,
        account_id uuid NOT NULL,
        channel text NOT NULL,
        counterparty_id text NOT NULL,
        counterparty_name text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (agent_id, id)
      )`);
    // seq is the order of arrival; turn_id of a user's message is the turn that works or worked on it.
    await runner.query(`
      CREATE TABLE messages (
        seq bigint GENERATED ALWAYS AS IDENTITY,
        id text PRIMARY KEY,
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
        attempts integer NOT NULL DEFAULT 0,
        not_before timestamptz NOT NULL DEFAULT now(),
        dedupe_key text,
        error jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        delivered_at timestamptz,
        read_at timestamptz
      )`);
    await runner.query(`CREATE UNIQUE INDEX messages_order ON messages (agent_id, seq)`);
    await runner.query(
      `CREATE UNIQUE INDEX messages_dedupe ON messages (agent_id, dedupe_key) WHERE dedupe_key IS NOT NULL`,
    );
    await runner.query(`CREATE INDEX messages_waiting ON messages (seq) WHERE status = 'pending'`);
    await runner.query(`CREATE INDEX messages_conversation ON messages (agent_id, conversation_id, seq)`);
    await runner.query(`CREATE INDEX messages_turn ON messages (turn_id) WHERE turn_id IS NOT NULL`);
    await runner.query(`CREATE INDEX messages_replies ON messages (reply_to_id) WHERE reply_to_id IS NOT NULL`);
    await runner.query(`
      CREATE TABLE turns (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        conversation_id text NOT NULL,
        state text NOT NULL DEFAULT 'running',
        fencing_token bigint NOT NULL DEFAULT 1,
        worker_id text NOT NULL,
        lease_until timestamptz NOT NULL,
        attempt integer NOT NULL,
        cancelled boolean NOT NULL DEFAULT false,
        partial_reply text NOT NULL DEFAULT '',
        reply_ids text[] NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz
      )`);
    await runner.query(`CREATE UNIQUE INDEX turns_one_per_agent ON turns (agent_id) WHERE state = 'running'`);
    await runner.query(`CREATE INDEX turns_leases ON turns (lease_until) WHERE state = 'running'`);
    await runner.query(`CREATE INDEX turns_agent ON turns (agent_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE turns, messages, conversations, agents, outbox, inbox, relay_state`);
  }
}
