import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `is_due` separates what can be sent from what waits for its next try, which may be a million rows: claims look through
 * the first alone, account by account. The trigger keeps it true to `due_at` whoever writes that, the previous version too;
 * that a time has come is seen by `queueDueRetries`.
 */
export class DueDeliveries1797700000000 implements MigrationInterface {
  name = 'DueDeliveries1797700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE queue ADD COLUMN is_due boolean NOT NULL DEFAULT true`);
    await runner.query(`UPDATE queue SET is_due = false WHERE due_at > now()`);
    await runner.query(`
      CREATE FUNCTION keep_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.is_due := NEW.due_at <= now();
        RETURN NEW;
      END $$`);
    await runner.query(`
      CREATE TRIGGER queue_keep_is_due BEFORE INSERT OR UPDATE OF due_at ON queue
      FOR EACH ROW EXECUTE FUNCTION keep_is_due()`);
    await runner.query(`CREATE INDEX queue_claimable ON queue (account_id, endpoint_id, due_at) WHERE is_due`);
    await runner.query(`CREATE INDEX queue_later ON queue (due_at) WHERE NOT is_due`);
    // The previous version claims by it; a new database has none. To be taken away by the next version.
    await runner.query(`
      DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM queue) THEN DROP INDEX queue_due; END IF;
      END $$`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
