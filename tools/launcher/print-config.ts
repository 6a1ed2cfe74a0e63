import { type Environment, printConfig } from '#lib/config';
import type { LauncherOptions } from './options.js';
import { urlOf } from './ports.js';
import { serviceEnvironment } from './service-environment.js';
import { services } from './services.js';
import { findProgram } from './system-package.js';

/** What the launcher makes at each start, or at the first, where the user names nothing else. */
const madeAtStart = [
  'DATABASE_URL',
  'NATS_URL',
  'NATS_CREDS',
  'NATS_ACCOUNT_SEED',
  'ROOST_MASTER_KEY',
  'ROOST_PREVIOUS_MASTER_KEYS',
  'ROOST_LOCAL_API_KEY',
];

/**
 * What each service would use if Roost were started so: lines of NAME=value, secrets masked, with the services' names
 * where not all have it. Starts, makes and reads no more than the files that the environment names.
 */
export async function printPlatformConfig(options: LauncherOptions, inherited: Environment): Promise<string> {
  const { host, port, dataDir, separateProcesses } = options;
  const users = new Map<string, string[]>();
  for (const { name, load } of services) {
    const environment = await serviceEnvironment(
      {
        inherited,
        dataDir,
        host,
        port,
        url: urlOf(host, port),
        databaseUrl: inherited.DATABASE_URL ?? '',
        natsUrl: inherited.NATS_URL ?? '',
        secrets: { apiKey: '', apiKeyFile: '', masterKeyFile: '' },
        bubblewrapPath: findProgram('bwrap') ?? '',
        isAlone: separateProcesses,
      },
      name,
    );
    const { config } = await load();
    for (const line of printConfig(config, environment).split('\n')) {
      const variable = line.slice(0, line.indexOf('='));
      const isGiven = Boolean(inherited[variable] ?? inherited[`${variable}_FILE`]);
      const shown = madeAtStart.includes(variable) && !isGiven ? `${variable}=  # made by the start` : line;
      users.set(shown, [...(users.get(shown) ?? []), name]);
    }
  }
  return [...users]
    .map(([line, names]) => (names.length === services.length ? line : `${line}  # ${names.join(', ')}`))
    .sort()
    .join('\n');
}
