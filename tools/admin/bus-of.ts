import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '#lib/config';
import { adminCredentials, serviceInboxPrefix } from '#lib/nats-auth';
import { RoostError } from '#lib/contracts';
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';

/**
 * A connection to the bus of a running Roost: of the data folder, or of NATS_URL and NATS_CREDS.
 * Errors: SERVICE_UNAVAILABLE, saying what to do.
 */
export async function busOf(dataDir: string, env: Environment): Promise<NatsConnection> {
  const { url, creds } = env['NATS_URL'] ? fromEnvironment(env, env['NATS_URL']) : await fromFolder(dataDir);
  return connect({
    servers: url,
    name: 'roost-admin',
    inboxPrefix: serviceInboxPrefix('admin'),
    reconnect: false,
    timeout: 3_000,
    ...(creds ? { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) } : {}),
  }).catch(() => {
    throw new RoostError('SERVICE_UNAVAILABLE', `No Roost answers at ${url}: start it first (npm start).`);
  });
}

function fromEnvironment(env: Environment, url: string) {
  const creds = env['NATS_CREDS'];
  return { url, creds: creds && existsSync(creds) ? readFileSync(creds, 'utf8') : creds };
}

async function fromFolder(dataDir: string) {
  try {
    const seed = readFileSync(join(dataDir, 'nats', 'credentials', 'account.seed'), 'utf8').trim();
    return {
      url: readFileSync(join(dataDir, 'nats', 'url'), 'utf8').trim(),
      creds: await adminCredentials(seed),
    };
  } catch {
    throw new RoostError(
      'SERVICE_UNAVAILABLE',
      `${dataDir} is not the data folder of a Roost that has run: start it (npm start), or name the folder with --data.`,
    );
  }
}
