import { RoostError } from '#lib/contracts';
import { Database, newId } from '#lib/database';
import { freshDatabase } from '#lib/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forgetAgent, recordAgent } from '../agents/record-agent.js';
import { sendMessages } from '../messages/send-messages.js';
import { Messaging1795560000000 } from '../migrations/messaging-1795560000000.js';
import { claimTurn } from './claim-turn.js';
import { completeTurn } from './complete-turn.js';
import { expireTurn } from './expire-turn.js';
import type { Fence } from './locked-turn.js';
import { releaseTurn } from './release-turn.js';

const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
/** Enough for every change; `ROOST_INTERLEAVINGS=5000` searches longer. */
const RUNS = 200;

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const fresh = await freshDatabase();
  database = await Database.open({
    url: fresh.url,
    schema: 'messaging',
    migrations: [Messaging1795560000000],
    poolSize: 4,
  });
  drop = async () => {
    await database.close();
    await fresh.drop();
  };
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
        const turn = await database.transaction((tx) => claimTurn(tx, 'w', 30_000));
        expect(turn !== null && running !== undefined).toBe(false);
        if (!turn) return;
        running = turn.turnId;
        const { turnId, fencingToken } = turn;
        const ids = turn.messages.map(({ id }) => id);
        expect(ids).toEqual(sent.slice(answered.length));
        claims.push({ turnId, fencingToken, ids });
      };
      const complete = async ({ ids, ...fence }: (typeof claims)[number]) => {
        const isHolder = fence.turnId === running;
        const result = await database
          .transaction((tx) => completeTurn(tx, { ...fence, replies: ['r'], usage }, true))
          .catch(conflict);
        if (!isHolder) return;
        expect(result).not.toBeNull();
        answered.push(...ids);
        running = undefined;
      };
      for (const move of steps) {
        const held = 'worker' in move ? claims[move.worker % Math.max(claims.length, 1)] : undefined;
        if (move.do === 'send') {
          const [outcome] = await sendMessages(database, [{ input: messageTo(agentId), accountId, headers: {} }]);
          if (outcome?.kind === 'accepted') sent.push(outcome.message.id);
        } else if (move.do === 'claim') await claim();
        else if (move.do === 'expire' && running && claims.length < 4) {
          await database.query(`UPDATE turns SET lease_until = 'epoch' WHERE id = $1`, [running]);
          await database.transaction(expireTurn);
          running = undefined;
        } else if (move.do === 'release' && held) {
          const { ids: _ids, ...fence } = held;
          await database.transaction((tx) => releaseTurn(tx, fence, true)).catch(conflict);
          if (held.turnId === running) running = undefined;
        } else if (move.do === 'complete' && held) await complete(held);
      }
      if (!running) await claim();
      if (running) await complete(claims.at(-1)!);
      if (answered.length < sent.length) {
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

type Act = 'send' | 'claim' | 'expire' | 'release' | 'complete' | 'complete late';

it('answers every message exactly once also when all of that happens at the very same time', async () => {
  const acts = fc.constantFrom<Act>('send', 'claim', 'expire', 'release', 'complete', 'complete late');
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 2, maxLength: 6 }), async (atOnce) => {
      const agentId = newId();
      const accountId = newId();
      await database.transaction((tx) => recordAgent(tx, { agentId, accountId, status: 'active', revision: 1 }));
      const send = () => sendMessages(database, [{ input: messageTo(agentId), accountId, headers: {} }]);
      const held: Fence[] = [];
      const claim = async () => {
        const turn = await database.transaction((tx) => claimTurn(tx, 'w', 30_000));
        if (turn) held.push({ turnId: turn.turnId, fencingToken: turn.fencingToken });
        return turn !== null;
      };
      const expire = async () => {
        await database.query(`UPDATE turns SET lease_until = 'epoch' WHERE agent_id = $1 AND state = 'running'`, [
          agentId,
        ]);
        await database.transaction(expireTurn);
      };
      const report = (fence: Fence) =>
        database.transaction((tx) => completeTurn(tx, { ...fence, replies: ['r'], usage }, true)).catch(conflict);
      await send();
      await claim();
      await expire();
      await send();
      await claim();
      const [late, holder] = held as [Fence, Fence];
      const carryOut: Record<Act, () => Promise<unknown>> = {
        send,
        claim,
        expire,
        release: () => database.transaction((tx) => releaseTurn(tx, holder, true)).catch(conflict),
        complete: () => report(holder),
        'complete late': async () => expect(await report(late)).toBeNull(),
      };
      await Promise.all(atOnce.map((act) => carryOut[act]()));
      // Whoever holds a turn reports it; what is left over is claimed and answered.
      do {
        for (const fence of held.splice(0)) await report(fence);
      } while (await claim());
      const rows = await database.query<{ answers: string }>(
        `SELECT (SELECT count(*) FROM turns t JOIN messages r ON r.turn_id = t.id AND r.role = 'assistant'
           WHERE t.state = 'completed' AND t.agent_id = m.agent_id AND t.message_ids ? m.id) AS answers
         FROM messages m WHERE m.agent_id = $1 AND m.role = 'user'`,
        [agentId],
      );
      expect(rows.map(({ answers }) => Number(answers))).toEqual(rows.map(() => 1));
      expect(rows).toHaveLength(2 + atOnce.filter((act) => act === 'send').length);
      const [loose] = await database.query<{ count: string }>(
        `SELECT count(*) FROM messages r LEFT JOIN turns t ON t.id = r.turn_id AND t.state = 'completed'
         WHERE r.agent_id = $1 AND r.role = 'assistant' AND t.id IS NULL`,
        [agentId],
      );
      expect(Number(loose?.count)).toBe(0);
      await database.transaction((tx) => forgetAgent(tx, agentId, accountId, 2));
    }),
    { numRuns: Number(process.env['ROOST_INTERLEAVINGS'] ?? RUNS / 4) },
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
