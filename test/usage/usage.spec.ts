import { describe, expect, it } from 'vitest';
import { compareBooks } from './books.js';
import { describeBooks, isExact } from './report.js';
import { runUsage } from './run-usage.js';

describe('usage', () => {
  it('is compared answer by answer: what is missing, doubled, wrong or made up is found', () => {
    const told = [1, 2, 3, 4, 5].map((input) => ({ input, output: 10, at: input * 10_000, how: 'drip' }));
    const booked = [
      { input: 1, output: 10 },
      { input: 2, output: 10 },
      { input: 2, output: 10 },
      { input: 3, output: 11 },
      { input: 9, output: 10 },
    ];
    const kills = [
      { target: 'agent-runtime', at: 41_000 },
      { target: 'messaging', at: 51_000 },
    ];
    expect(compareBooks(told, booked, kills)).toEqual({
      matched: 1,
      lostWithWorker: [told[3]],
      findings: [
        'answer 2 → 10 (drip) is booked 2 times',
        'answer 3 → 10 (drip) is booked as 11',
        'answer 5 → 10 (drip) is not booked, and no worker was killed then',
        '9 is booked and was never told',
      ],
    });
  });

  // `npm run usage` makes all of them.
  const isFull = process.env.ROOST_FULL === '1';
  const turns = isFull ? 2_000 : 80;
  it(
    `is what the provider told, to the token, over ${turns} turns with failures, retries and kills`,
    { timeout: 120_000 + turns * 1_000 },
    async () => {
      const options = { seed: 11, turns, agents: 10, failureRate: 0.2, killEveryMs: isFull ? 10_000 : 6_000 };
      const result = await runUsage({ ...options, log: () => undefined });
      console.log(describeBooks(result));
      expect(isExact(result), describeBooks(result)).toBe(true);
      expect(result.matched).toBeGreaterThan(turns);
      expect(result.kills.length).toBeGreaterThan(0);
    },
  );
});
