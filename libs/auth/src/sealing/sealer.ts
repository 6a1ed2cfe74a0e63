import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { isSameSecret } from '../is-same-secret.js';
import type { Keyring } from './keyring.js';

const VERSION = 'v1';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Envelope encryption with AES-256-GCM: each value has a random data key of its own, which the master key wraps.
 * `context` (table and row, e.g. `agents:<id>`) is authenticated with it: a sealed value copied into another row does
 * not open. Changing the master key means wrapping data keys anew, never touching what they seal.
 */
export class Sealer {
  constructor(private readonly keyring: Keyring) {}

  /** `v1.<master key id>.<wrapped data key>.<sealed text>`, the last two in base64url. */
  seal(text: string, context: string): string {
    const dataKey = randomBytes(32);
    const sealed = encrypt(dataKey, Buffer.from(text, 'utf8'), context);
    return [VERSION, this.keyring.currentId, this.wrap(dataKey, context), sealed.toString('base64url')].join('.');
  }

  /** Errors: when the master key is not in the ring, or the value was changed or sealed for another context. */
  open(value: string, context: string): string {
    const { dataKey, sealed } = this.unwrap(value, context);
    return decrypt(dataKey, sealed, context).toString('utf8');
  }

  /**
   * A hash that only who has the master key can compute: what is short, such as a code of six digits, cannot be found
   * by trying all. `<master key id>.<HMAC-SHA-256>`; the same text hashes differently in another context.
   */
  keyedHash(text: string, context: string): string {
    return this.hashWith(this.keyring.currentId, text, context);
  }

  /** Whether `hash` is the text's, compared in constant time. False also when its master key is not in the ring. */
  isHashOf(hash: string, text: string, context: string): boolean {
    const keyId = hash.split('.')[0] ?? '';
    return this.keyring.keys.has(keyId) && isSameSecret(this.hashWith(keyId, text, context), hash);
  }

  private hashWith(keyId: string, text: string, context: string): string {
    const mac = createHmac('sha256', this.masterKey(keyId)).update(JSON.stringify(['keyed hash', context, text]));
    return `${keyId}.${mac.digest('base64url')}`;
  }

  /** Whether the value was sealed under a master key that has since been replaced. */
  isOutdated(value: string): boolean {
    return value.split('.')[1] !== this.keyring.currentId;
  }

  /** The same value under the current master key. Errors: as `open`. */
  rotate(value: string, context: string): string {
    const { dataKey, sealed } = this.unwrap(value, context);
    return [VERSION, this.keyring.currentId, this.wrap(dataKey, context), sealed.toString('base64url')].join('.');
  }

  /** The prefix that every value sealed under the current master key has. */
  get currentPrefix(): string {
    return `${VERSION}.${this.keyring.currentId}.`;
  }

  private wrap(dataKey: Buffer, context: string): string {
    return encrypt(this.masterKey(this.keyring.currentId), dataKey, `key:${context}`).toString('base64url');
  }

  private unwrap(value: string, context: string): { dataKey: Buffer; sealed: Buffer } {
    const [version, keyId = '', wrapped = '', sealed = ''] = value.split('.');
    if (version !== VERSION) throw new Error('a sealed value has an unknown version');
    const dataKey = decrypt(this.masterKey(keyId), Buffer.from(wrapped, 'base64url'), `key:${context}`);
    return { dataKey, sealed: Buffer.from(sealed, 'base64url') };
  }

  private masterKey(id: string): Buffer {
    const key = this.keyring.keys.get(id);
    if (!key) throw new Error(`a sealed value needs master key ${id}: add it to ROOST_PREVIOUS_MASTER_KEYS`);
    return key;
  }
}

function encrypt(key: Buffer, plain: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}
