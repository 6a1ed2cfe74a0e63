import { Database } from '#lib/database';
import { freshDatabase } from '#lib/testing';
import { migrations } from '../src/migrations/index.js';

/** Messaging's schema on a fresh database, without the service. */
export async function messagingDatabase(): Promise<{ database: Database; drop(): Promise<void> }> {
  const fresh = await freshDatabase();
  const database = await Database.open({
    url: fresh.url,
    schema: 'messaging',
    migrations,
    poolSize: 4,
  });
  return {
    database,
    async drop() {
      await database.close();
      await fresh.drop();
    },
  };
}
