import { sign } from 'node:crypto';
import type { Authenticator } from '@nats-io/transport-node';
import { keyOf } from './native-key.js';

/**
 * As the NATS client's own `credsAuthenticator`, but signed by Node: in a daemon that has just started, where nothing is
 * compiled yet, one signature in JavaScript takes as long as loading the daemon.
 * Errors: when the text is no credentials.
 */
export function credsAuthenticator(credentials: string): Authenticator {
  const [jwt, seed] = [...credentials.matchAll(/-{3,}BEGIN [^\n]*-{3,}\s+(\S+)\s+-{3,}END /g)].map(([, text]) => text);
  if (jwt === undefined || seed === undefined) throw new Error('the credentials are not in the form of a .creds file');
  const key = keyOf(new TextEncoder().encode(seed));
  return (nonce) => ({ jwt, sig: sign(null, Buffer.from(nonce ?? ''), key).toString('base64') });
}
