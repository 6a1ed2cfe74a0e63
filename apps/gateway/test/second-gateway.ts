import { join } from 'node:path';
import { apiClient, type TestRoost } from '#lib/testing';
import type { Environment } from '#lib/config';
import { start } from '../src/main.js';

/** Another replica of the gateway beside the one that a Roost runs, on the same database and bus. */
export async function secondGateway(roost: TestRoost, env: Environment = {}) {
  const service = await start({
    PORT: '0',
    DATABASE_URL: roost.databaseUrl,
    NATS_URL: roost.natsUrl,
    NATS_CREDS: join(roost.dataDir, 'credentials', 'gateway.creds'),
    ROOST_MASTER_KEY_FILE: join(roost.dataDir, 'master-key'),
    ROOST_LOG_FILE: join(roost.dataDir, 'second.log'),
    ...env,
  });
  return { url: service.url ?? '', api: apiClient(service.url ?? '', roost.apiKey), stop: () => service.stop() };
}
