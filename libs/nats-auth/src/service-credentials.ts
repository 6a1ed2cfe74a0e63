import { encodeUser, fmtCreds, type Permissions } from '@nats-io/jwt';
import { createUser, fromSeed } from '@nats-io/nkeys';
import { native } from './keys/index.js';
import { adminPermissions, servicePermissions } from './service-permissions.js';

/**
 * Credentials of a service: a user of its own, named in the server's connection list, that may do what
 * `service-rights.ts` lists for it and nothing else. They do not expire.
 * Errors: TypeError when there is no such service.
 */
export function serviceCredentials(accountSeed: string, serviceName: string): Promise<string> {
  return userCredentials(accountSeed, serviceName, servicePermissions(serviceName));
}

/** Credentials of the operator's commands: they may ask the gateway for accounts and keys. They do not expire. */
export function adminCredentials(accountSeed: string): Promise<string> {
  return userCredentials(accountSeed, 'admin', adminPermissions());
}

/** Credentials that may use the whole account, for tests and measurements: no service has them. They do not expire. */
export function accountCredentials(accountSeed: string, userName: string): Promise<string> {
  return userCredentials(accountSeed, userName, {});
}

async function userCredentials(accountSeed: string, name: string, permissions: Permissions): Promise<string> {
  const user = native(createUser());
  const account = native(fromSeed(new TextEncoder().encode(accountSeed.trim())));
  const jwt = await encodeUser(name, user, account, permissions);
  return new TextDecoder().decode(fmtCreds(jwt, user));
}
