import { describe, expect, it } from 'vitest';
import { cronWords } from './cron-words.js';

describe('a cron expression in words', () => {
  it.each([
    ['0 9 * * 1-5', 'At 09:00, Monday through Friday'],
    ['*/15 * * * *', 'Every 15 minutes'],
    ['30 0 9 * * *', 'At 09:00:30'],
    ['@daily', 'At 00:00'],
    ['@Midnight', 'At 00:00'],
  ])('%s', (cron, words) => expect(cronWords(cron)).toBe(words));

  it.each(['', 'soon', '0 9 * *', '99 9 * * *'])('has none for what is no expression: %j', (cron) =>
    expect(cronWords(cron)).toBeUndefined(),
  );
});
