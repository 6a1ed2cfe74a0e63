import type { Database } from '#lib/database';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ACTS, type Act, ApprovalModel } from '../../test/approval-model.js';
import { messagingDatabase } from '../../test/messaging-database.js';

/** Enough for every change; `ROOST_INTERLEAVINGS=5000` searches longer. */
const RUNS = 50;

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await messagingDatabase());
});
afterAll(() => drop());

async function play(acts: readonly Act[]): Promise<void> {
  const model = await ApprovalModel.open(database);
  for (const act of acts) {
    await model.act(act);
    await model.check();
  }
  await model.finish();
}

it('decides each approval once, runs each call in one attempt at most, and leaves nothing stuck, whatever interleaves', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...ACTS), { minLength: 6, maxLength: 16, size: 'max' }), (acts) =>
      play(['send', 'claim', ...acts]),
    ),
    { numRuns: Number(process.env['ROOST_INTERLEAVINGS'] ?? RUNS) },
  );
}, 600_000);

it.each<{ acts: Act[] }>([
  { acts: ['send', 'claim', 'suspend', 'send', 'allow', 'claim', 'start', 'complete'] },
  { acts: ['send', 'claim', 'suspend', 'suspend again', 'deny', 'suspend again', 'claim', 'complete'] },
  { acts: ['send', 'claim', 'suspend', 'interrupt', 'claim', 'complete'] },
  { acts: ['send', 'claim', 'suspend', 'allow', 'claim', 'start', 'lose', 'claim', 'start', 'start late', 'complete'] },
  { acts: ['send', 'claim', 'suspend', 'allow', 'claim', 'suspend', 'expire', 'claim', 'start', 'complete'] },
  { acts: ['send', 'send elsewhere', 'claim', 'suspend', 'claim', 'suspend', 'reset', 'send', 'claim', 'complete'] },
  { acts: ['send', 'claim', 'suspend', 'stop', 'allow', 'activate', 'claim', 'start', 'release', 'claim', 'complete'] },
  { acts: ['send', 'claim', 'suspend', 'delete'] },
])('holds over $acts', async ({ acts }) => {
  await play(acts);
  expect(await database.query(`SELECT 1 FROM approvals`)).toEqual([]);
});
