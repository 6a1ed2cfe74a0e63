import { Database } from '#lib/database';
import { freshDatabase } from '#lib/testing';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrations } from '../migrations/index.js';
import { closeExecutions, recordSent, returnExecutions, startExecutions } from './outcomes.repository.js';

let database: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  const fresh = await freshDatabase();
  drop = () => fresh.drop();
  database = await Database.open({ url: fresh.url, schema: 'scheduler', migrations, poolSize: 2 });
});
afterAll(async () => {
  await database.close();
  await drop();
});

type Event = { do: 'start' | 'return' | 'complete'; turn: number };

/** The turns of one message as they happened: all but the last returned it, the last perhaps has not ended. */
function history(turns: number, end: 'runs' | 'waits' | 'answered'): Event[] {
  return Array.from({ length: turns }, (_, turn): Event[] => {
    const isLast = turn === turns - 1;
    const over: Event[] =
      isLast && end === 'runs' ? [] : [{ do: isLast && end === 'answered' ? 'complete' : 'return', turn }];
    return [{ do: 'start', turn }, ...over];
  }).flat();
}

describe('the status of an execution', () => {
  it('is that of its message, however late, often and in whatever order the events of its turns arrive', async () => {
    const expected = { runs: 'running', waits: 'queued', answered: 'completed' };
    const cases = fc
      .record({ turns: fc.integer({ min: 1, max: 4 }), end: fc.constantFrom('runs', 'waits', 'answered') })
      .chain(({ turns, end }) => {
        const events = history(turns, end);
        const again = fc.array(fc.constantFrom(...events), { maxLength: 4 });
        const received = again.chain((more) => {
          const all = [...events, ...more];
          return fc.shuffledSubarray(all, { minLength: all.length });
        });
        return fc.record({ end: fc.constant(end), received, sentAfter: fc.nat(8) });
      });
    await fc.assert(
      fc.asyncProperty(cases, async ({ end, received, sentAfter }) => {
        const executionId = randomUUID();
        const messageId = `msg_${randomUUID()}`;
        await database.query(
          `INSERT INTO executions (id, account_id, agent_id, scheduled_for, status, queue_mode)
           VALUES ($1, $1, $1, now(), 'pending', 'collect')`,
          [executionId],
        );
        const sent = () => database.transaction((tx) => recordSent(tx, [{ executionId, messageId }]));
        for (const [n, { do: what, turn }] of received.entries()) {
          if (n === sentAfter) await sent();
          await database.transaction(async (tx) => {
            if (what === 'start') await startExecutions(tx, [messageId], 7 + turn);
            else if (what === 'return') await returnExecutions(tx, [messageId], 7 + turn);
            else await closeExecutions(tx, [messageId], 'completed', null);
          });
        }
        if (sentAfter >= received.length) await sent();
        const [execution] = await database.query<{ status: string; started: boolean; finished: boolean }>(
          `SELECT status, started_at IS NOT NULL AS started, finished_at IS NOT NULL AS finished FROM executions WHERE id = $1`,
          [executionId],
        );
        expect(execution).toEqual({
          status: expected[end],
          started: end !== 'waits',
          finished: end === 'answered',
        });
      }),
      { numRuns: 60 },
    );
  });
});
