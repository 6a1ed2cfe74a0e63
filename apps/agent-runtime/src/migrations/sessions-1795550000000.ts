import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Sessions1795550000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    // One open session for each conversation; ended ones keep their transcript readable.
    await runner.query(`
      CREATE TABLE sessions (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        conversation_id text NOT NULL,
        context_tokens integer NOT NULL DEFAULT 0,
        started_at timestamptz NOT NULL DEFAULT now(),
        last_turn_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz
      )`);
    await runner.query(
      `CREATE UNIQUE INDEX sessions_open ON sessions (agent_id, conversation_id) WHERE ended_at IS NULL`,
    );
    await runner.query(
      `CREATE INDEX sessions_ended ON sessions (agent_id, conversation_id, ended_at) WHERE ended_at IS NOT NULL`,
    );
    // content is JSON kept as text: jsonb refuses the NUL characters that tool output may hold.
    await runner.query(`
      CREATE TABLE transcript (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        session_id uuid NOT NULL,
        turn_id uuid,
        kind text NOT NULL CHECK (kind IN ('message', 'summary')),
        content text NOT NULL,
        is_interrupted boolean NOT NULL DEFAULT false,
        is_compacted boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX transcript_context ON transcript (session_id, id) WHERE NOT is_compacted`);
    await runner.query(`CREATE INDEX transcript_turn ON transcript (turn_id)`);
    await runner.query(`CREATE INDEX transcript_agent ON transcript (agent_id, id)`);
    await runner.query(`
      CREATE TABLE turn_usage (
        turn_id uuid NOT NULL,
        fencing_token bigint NOT NULL,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        model text NOT NULL,
        input_tokens bigint NOT NULL,
        output_tokens bigint NOT NULL,
        cached_input_tokens bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (turn_id, fencing_token)
      )`);
    await runner.query(`CREATE INDEX turn_usage_agent ON turn_usage (agent_id, created_at)`);
    // What was last seen of an agent's memory, so that a turn need not wake its workspace to know it.
    await runner.query(`
      CREATE TABLE memory_copies (
        agent_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        content text NOT NULL,
        seen_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE memory_copies, turn_usage, transcript, sessions, relay_state, inbox, outbox`);
  }
}
