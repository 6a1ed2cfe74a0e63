import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyringOf, Sealer } from '../index.js';

const key = () => randomBytes(32).toString('base64');

describe('sealing', () => {
  const [first, second] = [key(), key()];
  const sealer = new Sealer(keyringOf(first));

  it.each(['', 'sk-ant-canary', 'ü🙂'.repeat(1_000)])('opens what it sealed', (text) => {
    const sealed = sealer.seal(text, 'agents:1');
    expect(sealer.open(sealed, 'agents:1')).toBe(text);
    if (text) expect(sealed).not.toContain(text);
  });

  it('uses a data key and nonces of its own for every value', () => {
    expect(sealer.seal('same', 'agents:1')).not.toBe(sealer.seal('same', 'agents:1'));
  });

  it('does not open in another row, changed, or under another master key', () => {
    const sealed = sealer.seal('secret', 'agents:1');
    expect(() => sealer.open(sealed, 'agents:2')).toThrow();
    expect(() => sealer.open(`${sealed.slice(0, -4)}AAAA`, 'agents:1')).toThrow();
    expect(() => new Sealer(keyringOf(second)).open(sealed, 'agents:1')).toThrow(/ROOST_PREVIOUS_MASTER_KEYS/);
  });

  it('rotates to a new master key, after which the old one is not needed', () => {
    const sealed = sealer.seal('secret', 'agents:1');
    const rotating = new Sealer(keyringOf(second, [first]));
    expect(rotating.open(sealed, 'agents:1')).toBe('secret');
    expect(rotating.isOutdated(sealed)).toBe(true);
    const rotated = rotating.rotate(sealed, 'agents:1');
    expect(rotating.isOutdated(rotated)).toBe(false);
    expect(new Sealer(keyringOf(second)).open(rotated, 'agents:1')).toBe('secret');
  });

  it('hashes with the master key, by context, and knows the hash after a rotation', () => {
    const hash = sealer.keyedHash('123456', 'codes:1');
    expect(sealer.isHashOf(hash, '123456', 'codes:1')).toBe(true);
    expect(sealer.isHashOf(hash, '123457', 'codes:1')).toBe(false);
    expect(sealer.isHashOf(hash, '123456', 'codes:2')).toBe(false);
    expect(new Sealer(keyringOf(second)).isHashOf(hash, '123456', 'codes:1')).toBe(false);
    expect(new Sealer(keyringOf(second, [first])).isHashOf(hash, '123456', 'codes:1')).toBe(true);
  });

  it('refuses a master key of the wrong size without showing it', () => {
    expect(() => keyringOf('c2hvcnQ=')).toThrow('a master key must be 32 bytes in base64');
  });
});
