import { Database } from '#lib/database';
import { freshDatabase } from '#lib/testing';
import { migrations } from '../src/migrations/index.js';

/** Messaging's schema on a fresh database, without the service. */
export async function messagingDatabase(): Promise<{ database: Database; url: string; drop(): Promise<void> }> {
  const fresh = await freshDatabase();
  const database = await Database.open({
    url: fresh.url,
    schema: 'messaging',
    migrations,
    poolSize: 4,
  });
  return {
    database,
    url: fresh.url,
    async drop() {
      await database.close();
      await fresh.drop();
    },
  };
}
