import type { MigrationInterface, QueryRunner } from 'typeorm';

const ended = (row: 'OLD' | 'NEW') => `${row}.status IN ('dead', 'blocked', 'cancelled')`;

/**
 * `undelivered` names what ended without having been delivered, beside a history that may be a thousand times as long:
 * "what is dead?" is answered by it. An index of `deliveries` by status would do as well, but an outcome would then be
 * written into every index of that table (see `queue`). Triggers keep it, whoever writes, the previous version too.
 */
export class Undelivered1797800000000 implements MigrationInterface {
  name = 'Undelivered1797800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE undelivered (
        delivery_id uuid PRIMARY KEY,
        account_id uuid NOT NULL,
        status text NOT NULL,
        seq bigint NOT NULL
      )`);
    await runner.query(`CREATE INDEX undelivered_status ON undelivered (account_id, status, seq)`);
    await runner.query(`
      CREATE FUNCTION keep_undelivered() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP <> 'INSERT' THEN DELETE FROM undelivered WHERE delivery_id = OLD.id; END IF;
        IF TG_OP <> 'DELETE' AND ${ended('NEW')} THEN
          INSERT INTO undelivered (delivery_id, account_id, status, seq) VALUES (NEW.id, NEW.account_id, NEW.status, NEW.seq);
        END IF;
        RETURN NULL;
      END $$`);
    // Not called for what is delivered, which is nearly everything.
    await runner.query(`
      CREATE TRIGGER deliveries_undelivered AFTER INSERT ON deliveries
      FOR EACH ROW WHEN (${ended('NEW')}) EXECUTE FUNCTION keep_undelivered()`);
    await runner.query(`
      CREATE TRIGGER deliveries_undelivered_changed AFTER UPDATE OF status ON deliveries
      FOR EACH ROW WHEN (OLD.status <> NEW.status AND (${ended('OLD')} OR ${ended('NEW')})) EXECUTE FUNCTION keep_undelivered()`);
    await runner.query(`
      CREATE TRIGGER deliveries_undelivered_deleted AFTER DELETE ON deliveries
      FOR EACH ROW WHEN (${ended('OLD')}) EXECUTE FUNCTION keep_undelivered()`);
    // After the triggers, whose lock lets nothing be written until the commit, so that nothing is missed.
    await runner.query(`
      INSERT INTO undelivered (delivery_id, account_id, status, seq)
      SELECT id, account_id, status, seq FROM deliveries WHERE status IN ('dead', 'blocked', 'cancelled')`);
    await runner.query(`CREATE INDEX deliveries_event ON deliveries (account_id, event_type, seq)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
