import { createEventTables } from '#lib/database';
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Webhooks1795560000000 implements MigrationInterface {
  name = 'Webhooks1795560000000';

  async up(runner: QueryRunner): Promise<void> {
    await createEventTables(runner);
    // Agents whose configuration has been turned into endpoints; without a row lifecycle is asked.
    await runner.query(`CREATE TABLE agents (agent_id uuid PRIMARY KEY, account_id uuid NOT NULL)`);
    await runner.query(`
      CREATE TABLE endpoints (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        source text NOT NULL,
        agent_ids uuid[],
        url text NOT NULL,
        events text[] NOT NULL,
        description text,
        enabled boolean NOT NULL DEFAULT true,
        disabled_reason text,
        failing_since timestamptz,
        sealed_secret text NOT NULL,
        sealed_previous_secret text,
        previous_secret_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX endpoints_account ON endpoints (account_id, created_at)`);
    await runner.query(`CREATE INDEX endpoints_agents ON endpoints USING gin (agent_ids)`);
    // body is the text that is signed and sent, byte for byte the same at every try.
    await runner.query(`
      CREATE TABLE events (
        id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        agent_id uuid,
        type text NOT NULL,
        body text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX events_created ON events (created_at)`);
    // due_at: when to try next; while a worker holds the delivery, when its lease ends. tries: failures on the present
    // schedule, begun anew by a retry; attempt_count: all there ever were.
    await runner.query(`
      CREATE TABLE deliveries (
        seq bigint GENERATED ALWAYS AS IDENTITY,
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        account_id uuid NOT NULL,
        endpoint_id uuid NOT NULL,
        event_id uuid NOT NULL,
        agent_id uuid,
        event_type text NOT NULL,
        status text NOT NULL DEFAULT 'pending',
        due_at timestamptz NOT NULL DEFAULT now(),
        fencing_token bigint NOT NULL DEFAULT 0,
        tries integer NOT NULL DEFAULT 0,
        attempt_count integer NOT NULL DEFAULT 0,
        last_response_status integer,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      )`);
    await runner.query(`CREATE UNIQUE INDEX deliveries_once ON deliveries (event_id, endpoint_id)`);
    await runner.query(`CREATE INDEX deliveries_queue ON deliveries (endpoint_id, due_at) WHERE status = 'pending'`);
    await runner.query(`CREATE INDEX deliveries_account ON deliveries (account_id, seq)`);
    await runner.query(`CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, seq)`);
    await runner.query(`CREATE INDEX deliveries_agent ON deliveries (agent_id, seq)`);
    await runner.query(`CREATE INDEX deliveries_created ON deliveries (created_at)`);
    await runner.query(`
      CREATE TABLE attempts (
        delivery_id uuid NOT NULL,
        number integer NOT NULL,
        account_id uuid NOT NULL,
        started_at timestamptz NOT NULL,
        duration_ms integer NOT NULL,
        response_status integer,
        response_body text NOT NULL,
        error text,
        PRIMARY KEY (delivery_id, number)
      )`);
  }

  async down(): Promise<void> {}
}
