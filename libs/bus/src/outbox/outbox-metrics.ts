import type { Database } from '#lib/database';
import { LiveGauge } from '#lib/observability';

const backlog = new LiveGauge('roost_outbox_backlog', 'Events that are committed and not yet published');
const oldest = new LiveGauge('roost_outbox_oldest_age_seconds', 'Age of the oldest event that is not yet published');

/** Shows how far a service's relay is behind. Gives the function that ends it. */
export function measureOutbox(database: Database, service: string): () => void {
  const numberOf = async (sql: string) => Number((await database.query<{ value: string }>(sql))[0]?.value ?? 0);
  const ends = [
    backlog.measure(service, () => numberOf(`SELECT count(*) AS value FROM outbox WHERE published_at IS NULL`)),
    oldest.measure(service, () =>
      numberOf(
        `SELECT greatest(extract(epoch FROM clock_timestamp() - created_at), 0) AS value
         FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT 1`,
      ),
    ),
  ];
  return () => ends.forEach((end) => end());
}
