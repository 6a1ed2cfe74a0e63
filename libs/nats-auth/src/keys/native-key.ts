import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { KeyPair } from '@nats-io/nkeys';
// Not in the package's index, which gives neither the raw key nor its encoding (base32 with a checksum).
import { Codec } from '@nats-io/nkeys/lib/codec.js';

/** PKCS #8 of an Ed25519 key, up to its 32 bytes. Source: RFC 8410, section 7. */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key of an encoded seed (`SU…`, `SA…`). Errors: NKeysError when it is none. */
export function keyOf(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([pkcs8Head, Codec.decodeSeed(seed).buf]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** The same pair, signing and giving its public key by Node. */
export function native(pair: KeyPair): KeyPair {
  const key = keyOf(pair.getSeed());
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const { prefix } = Codec.decodeSeed(pair.getSeed());
  const publicKey = new TextDecoder().decode(Codec.encode(prefix, new Uint8Array(Buffer.from(x, 'base64url'))));
  return Object.assign(pair, {
    getPublicKey: () => publicKey,
    sign: (input: Uint8Array) => new Uint8Array(sign(null, input, key)),
  });
}
