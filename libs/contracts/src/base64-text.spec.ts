import { processorMs } from '#lib/testing';
import { expect, it } from 'vitest';
import { isBase64Text } from './base64-text.js';

it.each([
  ['', true],
  ['QUJD', true],
  ['QUI=', true],
  ['QQ==', true],
  ['QU\r\nJD\n', true],
  ['QQ==\n', true],
  ['QQ===', false],
  ['Q=Q', false],
  ['é', false],
])('knows base64: %j', (text, isBase64) => {
  expect(isBase64Text(text)).toBe(isBase64);
});

it.each([' ', '\n', 'A', 'A ', '='])('looks at ten megabytes of %j once', (unit) => {
  const text = `A${unit.repeat(10_000_000 / unit.length)}!`;
  expect(processorMs(() => expect(isBase64Text(text)).toBe(false))).toBeLessThan(2_000);
});
