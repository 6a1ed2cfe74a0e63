import type { Environment } from '#lib/config';
import { RoostError } from '#lib/contracts/errors';
import { databaseUrls } from './database-roles.js';
import { serviceAccess } from './nats-trust.js';
import { serviceEnvironment, type ServiceEnvironmentInput } from './service-environment.js';
import { services } from './services.js';

export interface ServiceEnvironmentsInput extends Omit<ServiceEnvironmentInput, 'access' | 'databaseUrls'> {
  /** Of our own NATS: the account that signs the services' credentials, and the folder that these are written to. */
  bus?: { credentialsFolder: string; accountSeed: string } | undefined;
}

export interface ServiceEnvironments {
  /** By service. */
  environments: Record<string, Environment>;
  /** Why all services share `databaseUrl`, when no role can be made for each. */
  rolesMissing?: string;
}

/**
 * Makes what services reach the servers with: each service's PostgreSQL role and bus credentials.
 * Errors: SERVICE_UNAVAILABLE with PostgreSQL's own message.
 */
export async function serviceEnvironments({ bus, ...input }: ServiceEnvironmentsInput): Promise<ServiceEnvironments> {
  const roles = await databaseUrls(input.databaseUrl).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    throw new RoostError('SERVICE_UNAVAILABLE', `The database cannot be used: ${message}.`);
  });
  const access = bus ? { access: serviceAccess(bus.credentialsFolder, bus.accountSeed) } : {};
  const complete = { ...input, ...access, databaseUrls: roles.urls };
  const made = services.map(async ({ name }) => [name, await serviceEnvironment(complete, name)] as const);
  return {
    environments: Object.fromEntries(await Promise.all(made)),
    ...(roles.urls ? {} : { rolesMissing: roles.reason }),
  };
}
