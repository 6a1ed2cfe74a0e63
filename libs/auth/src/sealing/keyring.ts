import { createHash } from 'node:crypto';

const KEY_BYTES = 32;

/** Master keys by their id: one seals, all open. */
export interface Keyring {
  currentId: string;
  keys: ReadonlyMap<string, Buffer>;
}

/**
 * The keyring of a current master key and those it replaced, each 32 bytes in base64. A key's id is the start of its
 * SHA-256, so that nobody has to number keys. Errors: one that names the trouble, never the key.
 */
export function keyringOf(current: string, previous: readonly string[] = []): Keyring {
  const keys = [current, ...previous].map(masterKey);
  const ids = keys.map((key) => createHash('sha256').update(key).digest('hex').slice(0, 12));
  return { currentId: ids[0] ?? '', keys: new Map(ids.map((id, index) => [id, keys[index] as Buffer])) };
}

function masterKey(text: string): Buffer {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES) throw new Error(`a master key must be ${KEY_BYTES} bytes in base64`);
  return key;
}
