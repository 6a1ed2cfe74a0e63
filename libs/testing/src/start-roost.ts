import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#lib/config';
import {
  databaseUrls,
  freePort,
  localSecrets,
  runInProcess,
  serviceAccess,
  serviceEnvironment,
  services,
} from '#tools/launcher';
import { apiClient, type ApiClient } from './api-client.js';
import { freshBus } from './fresh-bus.js';
import { freshDatabase } from './fresh-database.js';
import { temporaryFolder, testServers } from './test-servers.js';

export interface StartRoostOptions {
  /** Names of the services to start; all by default. */
  services?: string[];
  /** Variables on top of the launcher's, for every service. */
  env?: Environment;
}

export interface TestRoost {
  url: string;
  apiKey: string;
  api: ApiClient;
  dataDir: string;
  databaseUrl: string;
  natsUrl: string;
  /** Content of a `.creds` file of a user that may use this Roost's whole account, as no service may. */
  natsCreds: string;
  stop(): Promise<void>;
}

/**
 * A Roost of its own in this process: real services on a free port, a fresh database, a fresh bus account and a
 * temporary data folder. Inherits nothing from the caller's environment but what a program needs to run, so that a
 * provider key on a developer's machine changes no test. `stop` takes everything away again.
 */
export async function startRoost({ services: wanted, env = {} }: StartRoostOptions = {}): Promise<TestRoost> {
  const { bubblewrapPath } = testServers();
  const entries = wanted ? services.filter(({ name }) => wanted.includes(name)) : services;
  const dataDir = temporaryFolder();
  const [database, bus, port] = await Promise.all([freshDatabase(), freshBus(), freePort()]);
  const { urls } = await databaseUrls(database.url);
  const access = serviceAccess(join(dataDir, 'credentials'), bus.accountSeed);
  const secrets = localSecrets(dataDir);
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  const input = {
    inherited: { PATH, HOME, TMPDIR, LANG },
    dataDir,
    databaseUrl: database.url,
    databaseUrls: urls,
    natsUrl: bus.url,
    access,
    secrets,
    bubblewrapPath,
    host: '127.0.0.1',
    port,
    url: `http://127.0.0.1:${port}`,
    isAlone: false,
    logFile: join(dataDir, 'roost.log'),
  };
  const cleanUp = async () => {
    bus.release();
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    const running = await runInProcess(entries, async (name) => ({
      ...(await serviceEnvironment(input, name)),
      ...env,
    }));
    const url = running.url ?? '';
    return {
      url,
      apiKey: secrets.apiKey,
      api: apiClient(url, secrets.apiKey),
      dataDir,
      databaseUrl: database.url,
      natsUrl: bus.url,
      natsCreds: bus.creds,
      async stop() {
        await running.stop().finally(cleanUp);
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
