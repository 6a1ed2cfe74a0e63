import { encodeUser, fmtCreds } from '@nats-io/jwt';
import { createUser, fromSeed } from '@nats-io/nkeys';

/**
 * Credentials of a service: a user of its own, named in the server's connection list, that may use the whole account.
 * They do not expire.
 */
export async function serviceCredentials(accountSeed: string, serviceName: string): Promise<string> {
  const user = createUser();
  const jwt = await encodeUser(serviceName, user, fromSeed(new TextEncoder().encode(accountSeed.trim())));
  return new TextDecoder().decode(fmtCreds(jwt, user));
}
