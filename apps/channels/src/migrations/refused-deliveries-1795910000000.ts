import type { QueryRunner } from 'typeorm';

/** Rooms with a new id, whom a bot cannot reach, and which replies a delivery shows. */
export class RefusedDeliveries1795910000000 {
  name = 'RefusedDeliveries1795910000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE room_moves (
        platform text NOT NULL,
        bot_id text NOT NULL,
        room text NOT NULL,
        moved_to text NOT NULL,
        moved_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (platform, bot_id, room)
      )`);
    await runner.query(`ALTER TABLE bindings ADD COLUMN unreachable_place text, ADD COLUMN unreachable_reason text`);
    await runner.query(`ALTER TABLE deliveries ADD COLUMN reply_ids text[] NOT NULL DEFAULT '{}'`);
  }

  async down(): Promise<void> {}
}
