import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, loadConfig, secret } from '#lib/config';
import { provisionRoles, type ProvisionedRoles } from '#lib/database/roles';
import { z } from 'zod';
import { services } from '../launcher/services.js';

const configSchema = z.object({
  /** Of a role that may create roles. */
  DATABASE_URL: secret(z.string()),
});

/** PostgreSQL may still be starting, or changing its address. */
const patienceMs = 60_000;
const retryMs = 1_000;

/**
 * Makes the PostgreSQL role of a service, or of each, as `setup` wrote its connection string. May run at every start and
 * beside services that run. Errors: PostgreSQL's own, or why there can be no roles.
 */
export async function makeRoles(env: Environment, serviceName?: string): Promise<void> {
  const { DATABASE_URL: url } = loadConfig(configSchema, env);
  const wanted = services.filter(({ name }) => serviceName === undefined || name === serviceName);
  if (wanted.length === 0) throw new Error(`there is no service "${serviceName}"`);
  const made = await provisioned(
    url,
    wanted.map(({ schema }) => schema),
  );
  if (!made.urls) throw new Error(`DATABASE_URL makes no roles for services: ${made.reason}`);
}

async function provisioned(url: string, schemas: string[]): Promise<ProvisionedRoles> {
  for (const deadline = Date.now() + patienceMs; ;) {
    try {
      return await provisionRoles(url, schemas);
    } catch (error) {
      if (Date.now() + retryMs > deadline) throw error;
      await sleep(retryMs);
    }
  }
}
