import type { Authenticator } from '@nats-io/transport-node';
import { createPrivateKey, sign } from 'node:crypto';

/** PKCS #8 of an Ed25519 key, up to its 32 bytes. Source: RFC 8410, section 7. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * As the NATS client's own `credsAuthenticator`, but signed by Node: the client's Ed25519 is JavaScript, and in a daemon
 * that has just started, where nothing is compiled yet, one signature takes as long as loading the daemon.
 * Errors: when the text is no credentials.
 */
export function credsAuthenticator(credentials: string): Authenticator {
  const [jwt, seed] = [...credentials.matchAll(/-{3,}BEGIN [^\n]*-{3,}\n(\S+)\n-{3,}END /g)].map(([, text]) => text);
  if (jwt === undefined || seed === undefined) throw new Error('the credentials are not in the form of a .creds file');
  const key = createPrivateKey({ key: Buffer.concat([pkcs8Head, rawSeed(seed)]), format: 'der', type: 'pkcs8' });
  return (nonce) => ({ jwt, sig: sign(null, Buffer.from(nonce ?? ''), key).toString('base64') });
}

/** An encoded seed is base32 of two bytes of its kind, the 32 bytes, and a checksum. Source: NATS nkeys. */
function rawSeed(seed: string): Buffer {
  const bits = [...seed].map((letter) => base32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  return Buffer.from(bytes.slice(2, 34));
}
