import { createAccount, createOperator, createUser, fromPublic, fromSeed } from '@nats-io/nkeys';
import { expect, it } from 'vitest';
import { native } from './native-key.js';

it.each([createOperator, createAccount, createUser])('a native pair is the pair it was made of: %o', (create) => {
  const pair = create();
  const twin = native(fromSeed(pair.getSeed()));
  const input = new TextEncoder().encode('a challenge');
  expect(twin.getPublicKey()).toBe(pair.getPublicKey());
  expect(twin.sign(input)).toEqual(pair.sign(input));
  expect(fromPublic(twin.getPublicKey()).verify(input, twin.sign(input))).toBe(true);
  expect(() => native(fromSeed(new TextEncoder().encode('SUNOSEED')))).toThrow();
});
