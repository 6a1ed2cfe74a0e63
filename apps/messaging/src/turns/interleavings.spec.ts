import { RoostError } from '#lib/contracts';
import { type Database, newId } from '#lib/database';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forgetAgent, recordAgent } from '../agents/agents.repository.js';
import { sendMessages } from '../messages/send.repository.js';
import { messagingDatabase } from '../../test/messaging-database.js';
import { AccountRotation } from './account-rotation.js';
import { claimTurn } from './claims.service.js';
import { completeTurn, expireTurn, releaseTurn } from './turns.service.js';
import type { Fence } from './turns.repository.js';

const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
/** Enough for every change; `ROOST_INTERLEAVINGS=5000` searches longer. */
const RUNS = 120;

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await messagingDatabase());
});
afterAll(() => drop());

const step = fc.oneof(
  fc.constant({ do: 'send' as const }),
  fc.constant({ do: 'claim' as const }),
  fc.constant({ do: 'expire' as const }),
  fc.record({ do: fc.constantFrom('complete' as const, 'release' as const), worker: fc.nat(3) }),
);

/** Workers that come back late, twice or after a takeover, in any order. */
it('answers every message exactly once and in order, whatever claims, expiries and late reports interleave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
      const agentId = newId();
      const accountId = newId();
      await database.transaction((tx) => recordAgent(tx, { agentId, accountId, status: 'active', revision: 1 }));
      const sent: string[] = [];
      const claims: (Fence & { ids: string[] })[] = [];
      const answered: string[] = [];
      let running: string | undefined;
      const claim = async () => {
        const turn = await claimTurn(database, new AccountRotation(), {
          workerId: 'w',
          leaseMs: 30_000,
          fullAccounts: [],
        });
        expect(turn !== null && running !== undefined).toBe(false);
        if (!turn) return;
        running = turn.turnId;
        const { turnId, fencingToken } = turn;
        const ids = turn.messages.map(({ id }) => id);
        const waiting = sent.slice(answered.length);
        // A batch that was lost three times comes back in halves.
        expect(ids).toEqual(claims.length < 3 ? waiting : waiting.slice(0, Math.max(ids.length, 1)));
        claims.push({ turnId, fencingToken, ids });
      };
      const complete = async ({ ids, ...fence }: (typeof claims)[number]) => {
        const isHolder = fence.turnId === running;
        const result = await database
          .transaction((tx) => completeTurn(tx, { ...fence, replies: ['r'], usage }))
          .catch(conflict);
        if (!isHolder) return;
        expect(result).not.toBeNull();
        answered.push(...ids);
        running = undefined;
      };
      for (const move of steps) {
        const claimed = 'worker' in move ? claims[move.worker % Math.max(claims.length, 1)] : undefined;
        if (move.do === 'send') {
          const [outcome] = await sendMessages(database, [{ input: messageTo(agentId), accountId, headers: {} }]);
          if (outcome?.kind === 'accepted') sent.push(outcome.message.id);
        } else if (move.do === 'claim') await claim();
        else if (move.do === 'expire' && running && claims.length < 4) {
          await database.query(`UPDATE turns SET lease_until = 'epoch' WHERE id = $1`, [running]);
          await database.transaction(expireTurn);
          running = undefined;
        } else if (move.do === 'release' && claimed) {
          const { ids: _ids, ...fence } = claimed;
          await database.transaction((tx) => releaseTurn(tx, fence)).catch(conflict);
          if (claimed.turnId === running) running = undefined;
        } else if (move.do === 'complete' && claimed) await complete(claimed);
      }
      if (!running) await claim();
      if (running) await complete(claims.at(-1)!);
      for (let rounds = sent.length; rounds > 0 && answered.length < sent.length; rounds--) {
        await claim();
        await complete(claims.at(-1)!);
      }
      expect(answered).toEqual(sent);
      const rows = await database.query<{ reply_to_id: string }>(
        `SELECT reply_to_id FROM messages WHERE agent_id = $1 AND role = 'assistant'`,
        [agentId],
      );
      expect(new Set(rows.map((row) => row.reply_to_id)).size).toBe(rows.length);
      await database.transaction((tx) => forgetAgent(tx, agentId, accountId, 2));
    }),
    { numRuns: Number(process.env['ROOST_INTERLEAVINGS'] ?? RUNS) },
  );
}, 600_000);

const messageTo = (agentId: string) => ({
  agentId,
  content: 'm',
  metadata: {},
  channel: 'api' as const,
  queueMode: 'collect' as const,
  conversationId: 'c',
});

function conflict(error: unknown): null {
  if (error instanceof RoostError && error.code === 'CONFLICT') return null;
  throw error;
}
