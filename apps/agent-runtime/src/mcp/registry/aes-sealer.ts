import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Sealer } from './sealer.js';

const VERSION = 'v1';

/** AES-256-GCM under a key of our own, derived from the platform's master key (32 bytes in base64). */
export function aesSealer(masterKey: string): Sealer {
  const master = Buffer.from(masterKey, 'base64');
  if (master.length !== 32) throw new Error('ROOST_MASTER_KEY must be 32 bytes in base64');
  const key = Buffer.from(hkdfSync('sha256', master, '', 'roost runtime mcp', 32));
  return {
    seal(text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return [VERSION, ...[nonce, cipher.getAuthTag(), sealed].map((part) => part.toString('base64url'))].join('.');
    },
    open(sealed) {
      const [version, nonce = '', tag = '', text = ''] = sealed.split('.');
      if (version !== VERSION) throw new Error('a sealed value has an unknown version');
      const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'));
      decipher.setAuthTag(Buffer.from(tag, 'base64url'));
      return Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]).toString('utf8');
    },
  };
}
