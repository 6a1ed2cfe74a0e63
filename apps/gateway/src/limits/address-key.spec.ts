import { describe, expect, it } from 'vitest';
import { addressKey } from './address-key.js';
import { AddressLimiter } from './address-limiter.js';

describe('an address', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['no address', 'no address'],
  ])('%s counts as %s', (address, key) => expect(addressKey(address)).toBe(key));
});

describe('requests without a good key', () => {
  const limiter = (ROOST_ADDRESS_LIMIT_PER_MINUTE: number) =>
    new AddressLimiter({ ROOST_ADDRESS_LIMIT_PER_MINUTE } as ConstructorParameters<typeof AddressLimiter>[0]);

  it('are limited by the /64 of an address, whoever else has a good key there goes on', () => {
    const limits = limiter(3);
    limits.prove('good');
    for (let n = 0; n < 3; n++) limits.count(`2001:db8::${n}`);
    expect(() => limits.admit('2001:db8::99', undefined)).toThrow('at most 3 requests');
    expect(() => limits.admit('2001:db8::99', 'unknown')).toThrow('at most 3 requests');
    expect(() => limits.admit('2001:db8::99', 'good')).not.toThrow();
    expect(() => limits.admit('2001:db8:0:1::1', undefined)).not.toThrow();
  });
});
