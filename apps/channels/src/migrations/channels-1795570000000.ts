import { createEventTables } from '#lib/database';
import type { QueryRunner } from 'typeorm';

/** Who is linked, codes for linking, connection leases, and what is to be shown where. */
export class Channels1795570000000 {
  name = 'Channels1795570000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    await runner.query(`
      CREATE TABLE bindings (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        platform text NOT NULL,
        bot_id text NOT NULL,
        user_id text NOT NULL,
        username text,
        place text NOT NULL,
        queue_mode text NOT NULL DEFAULT 'collect',
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (platform, bot_id, user_id)
      )`);
    await runner.query(`CREATE INDEX bindings_agent ON bindings (agent_id, platform, created_at)`);
    await runner.query(`
      CREATE TABLE link_codes (
        agent_id uuid NOT NULL,
        platform text NOT NULL,
        account_id uuid NOT NULL,
        agent_name text NOT NULL,
        bot_id text NOT NULL,
        code_hash text NOT NULL UNIQUE,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (agent_id, platform)
      )`);
    await runner.query(`
      CREATE TABLE link_tries (
        platform text NOT NULL,
        user_id text NOT NULL,
        window_start timestamptz NOT NULL DEFAULT now(),
        tries int NOT NULL DEFAULT 1,
        silent_until timestamptz,
        PRIMARY KEY (platform, user_id)
      )`);
    await runner.query(`
      CREATE TABLE connection_leases (
        platform text NOT NULL,
        bot_id text NOT NULL,
        holder uuid NOT NULL,
        fence bigint NOT NULL DEFAULT 1,
        expires_at timestamptz NOT NULL,
        health text NOT NULL DEFAULT 'connecting',
        reason text,
        PRIMARY KEY (platform, bot_id)
      )`);
    await runner.query(`
      CREATE TABLE deliveries (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        platform text NOT NULL,
        bot_id text NOT NULL,
        place text NOT NULL,
        turn_id uuid NOT NULL,
        part int NOT NULL,
        body text NOT NULL,
        state text NOT NULL,
        fence bigint NOT NULL DEFAULT 0,
        message_id text,
        attempts int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (turn_id, part)
      )`);
    await runner.query(
      `CREATE INDEX deliveries_open ON deliveries (platform, bot_id, id) WHERE state IN ('pending', 'sending')`,
    );
    await runner.query(`CREATE INDEX deliveries_created ON deliveries (created_at)`);
  }

  async down(): Promise<void> {}
}
