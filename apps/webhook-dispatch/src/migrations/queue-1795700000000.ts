import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What waits gets a narrow table of its own; `deliveries` becomes the history (decision 0030). */
export class Queue1795700000000 implements MigrationInterface {
  name = 'Queue1795700000000';

  async up(runner: QueryRunner): Promise<void> {
    await createQueue(runner);
    await keepQueueComplete(runner);
    await letPreviousVersionEnd(runner);
    // Last: the triggers' lock lets nothing be written until the commit, so that nothing is missed.
    await runner.query(`
      INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id, due_at, fencing_token, tries)
      SELECT id, account_id, endpoint_id, event_id, due_at, fencing_token, tries FROM deliveries WHERE status = 'pending'`);
  }

  async down(): Promise<void> {}
}

/**
 * due_at: when to try next. leased_until, fencing_token: the lease, in no index, so that a claim rewrites a row within
 * its page and touches no index. tries: failures on the present schedule, begun anew by a retry.
 */
async function createQueue(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE TABLE queue (
      delivery_id uuid PRIMARY KEY,
      account_id uuid NOT NULL,
      endpoint_id uuid NOT NULL,
      event_id uuid NOT NULL,
      due_at timestamptz NOT NULL DEFAULT now(),
      leased_until timestamptz NOT NULL DEFAULT '-infinity',
      fencing_token bigint NOT NULL DEFAULT 0,
      tries integer NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50)`);
  await runner.query(`CREATE INDEX queue_due ON queue (endpoint_id, due_at)`);
  // Never given twice, also when a delivery comes back into the queue. Greater than any token of the previous version.
  await runner.query(`CREATE SEQUENCE fencing_tokens START WITH 1000000000`);
  // A delivery's outcome is written once, beside its first text: without room there it would go into every index anew.
  await runner.query(`ALTER TABLE deliveries SET (fillfactor = 50)`);
}

/** No writer of deliveries can forget the queue. */
async function keepQueueComplete(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION enqueue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id, due_at)
      VALUES (NEW.id, NEW.account_id, NEW.endpoint_id, NEW.event_id, NEW.created_at);
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER deliveries_enqueue AFTER INSERT ON deliveries
    FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION enqueue_delivery()`);
  await runner.query(`
    CREATE FUNCTION dequeue_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      DELETE FROM queue WHERE delivery_id = OLD.id;
      RETURN NULL;
    END $$`);
  await runner.query(`
    CREATE TRIGGER deliveries_dequeue AFTER DELETE ON deliveries
    FOR EACH ROW WHEN (OLD.status = 'pending') EXECUTE FUNCTION dequeue_delivery()`);
}

/**
 * The previous version runs beside this one during a rolling upgrade. It leases in `deliveries.due_at`, which this one
 * never writes: it is given nothing more to send, what it still holds it may record or give back while its lease lasts,
 * and a retry or replay asked of it is queued. To be taken away by the next version, with deliveries_queue and the
 * columns due_at, fencing_token and tries.
 */
async function letPreviousVersionEnd(runner: QueryRunner): Promise<void> {
  await runner.query(`
    CREATE FUNCTION obey_queue() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.fencing_token > OLD.fencing_token AND NEW.due_at > now() THEN
        RETURN NULL; -- a claim
      ELSIF NEW.fencing_token > OLD.fencing_token THEN -- a retry or replay
        INSERT INTO queue (delivery_id, account_id, endpoint_id, event_id)
        VALUES (NEW.id, NEW.account_id, NEW.endpoint_id, NEW.event_id)
        ON CONFLICT (delivery_id) DO UPDATE SET due_at = now(), tries = 0, leased_until = '-infinity',
          fencing_token = nextval('fencing_tokens');
      ELSIF NEW.status = 'pending' THEN -- failed, or given back untried
        UPDATE queue SET due_at = NEW.due_at, tries = NEW.tries
        WHERE delivery_id = OLD.id AND fencing_token = OLD.fencing_token;
      ELSE
        DELETE FROM queue WHERE delivery_id = OLD.id AND fencing_token = OLD.fencing_token;
      END IF;
      RETURN CASE WHEN FOUND THEN NEW END; -- not when its lease was taken over
    END $$`);
  await runner.query(`
    CREATE TRIGGER deliveries_obey_queue BEFORE UPDATE OF due_at ON deliveries
    FOR EACH ROW EXECUTE FUNCTION obey_queue()`);
  // The previous version looks for due deliveries by this index, and would read the whole history without it. As long as
  // it is there an outcome is written into every index; a new database has no previous version.
  await runner.query(`
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM deliveries) THEN DROP INDEX deliveries_queue; END IF;
    END $$`);
}
