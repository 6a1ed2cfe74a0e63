import type { QueryRunner } from 'typeorm';

/** Files in both directions, the inbox of platform events, `listen`, and who was told of a refused token. */
export class Files1795580000000 {
  name = 'Files1795580000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE bindings ADD COLUMN listen text NOT NULL DEFAULT 'mentions', ADD COLUMN team_id text`);
    await runner.query(`ALTER TABLE deliveries ADD COLUMN file_path text`);
    // The token itself is never written: its hash says whether it is still the one that was complained of.
    await runner.query(`ALTER TABLE connection_leases ADD COLUMN reported_token text`);
    await runner.query(`
      CREATE TABLE inbound_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        platform text NOT NULL,
        bot_id text NOT NULL,
        event_id text NOT NULL,
        place text NOT NULL,
        message jsonb,
        attempts int NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT now(),
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (platform, bot_id, event_id)
      )`);
    await runner.query(
      `CREATE INDEX inbound_events_open ON inbound_events (platform, bot_id, id) WHERE message IS NOT NULL`,
    );
    await runner.query(`CREATE INDEX inbound_events_created ON inbound_events (created_at)`);
  }

  async down(): Promise<void> {}
}
