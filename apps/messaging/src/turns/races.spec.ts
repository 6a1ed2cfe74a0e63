import { RoostError } from '#lib/contracts';
import { type Database, newId } from '#lib/database';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forgetAgent, recordAgent } from '../agents/agents.repository.js';
import { sendMessages } from '../messages/send.repository.js';
import { until } from '#lib/testing';
import { messagingDatabase } from '../../test/messaging-database.js';
import { AccountRotation } from './account-rotation.js';
import { claimTurn } from './claims.service.js';
import {
  completeTurn,
  endInterrupted,
  expireTurn,
  failTurn,
  MAX_ATTEMPTS,
  MAX_LOST_WORKERS,
  releaseTurn,
} from './turns.service.js';
import { type Fence, lockTurn } from './turns.repository.js';

const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
/** Enough for every change; `ROOST_INTERLEAVINGS=5000` searches longer. */
const RUNS = 60;
/** A message that nobody can claim after so many claims is stuck. */
const MAX_TRIES = 200;

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await messagingDatabase());
});
afterAll(() => drop());

type Act = 'send' | 'interrupt' | 'claim' | 'expire' | 'release' | 'fail' | 'complete' | 'stop' | 'complete late';
const acts = fc.constantFrom<Act>(
  'send',
  'interrupt',
  'claim',
  'expire',
  'release',
  'fail',
  'complete',
  'stop',
  'complete late',
);

it('finishes every message exactly once, whatever happens to its turn at the very same time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(acts, { minLength: 2, maxLength: 6 }), async (atOnce) => {
      const queue = await Queue.open();
      await queue.send();
      await queue.claim();
      await queue.expire();
      await queue.send();
      await queue.claim();
      const [late, holder] = queue.claimed as [Fence, Fence];
      const carryOut: Record<Act, () => Promise<unknown>> = {
        send: () => queue.send(),
        interrupt: () => queue.send('interrupt'),
        claim: () => queue.claim(),
        expire: () => queue.expire(),
        release: () => queue.report((tx) => releaseTurn(tx, holder)),
        fail: () => queue.fail(holder),
        complete: () => queue.complete(holder),
        stop: () => queue.stop(holder),
        'complete late': async () => expect(await queue.complete(late)).toBeNull(),
      };
      await Promise.all(atOnce.map((act) => carryOut[act]()));
      await queue.answerAll();
      const { ends, replies } = await queue.outcome();
      expect(ends).toEqual(ends.map(() => 1));
      expect(ends).toHaveLength(2 + atOnce.filter((act) => act === 'send' || act === 'interrupt').length);
      expect(replies).toEqual(replies.map(() => 1));
      await queue.close();
    }),
    { numRuns: Number(process.env['ROOST_INTERLEAVINGS'] ?? RUNS) },
  );
}, 600_000);

it('counts lost workers for themselves: they take none of the tries, and after ten the message gets the error', async () => {
  const queue = await Queue.open();
  await queue.send();
  const lose = async (times: number) => {
    for (let time = 0; time < times; time += 1) {
      expect(await queue.claim()).toBe(true);
      await queue.expire();
    }
  };
  const fail = async () => {
    await until('it is claimed', () => queue.claim());
    return queue.fail(queue.claimed.at(-1)!);
  };
  await lose(MAX_LOST_WORKERS - 1);
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) expect(await fail()).toMatchObject({ willRetry: true });
  expect(await queue.errors()).toEqual([null]);
  await until('it is claimed', () => queue.claim());
  await queue.expire();
  expect(await queue.errors()).toEqual(['WORKER_LOST']);

  await queue.send();
  await lose(MAX_ATTEMPTS);
  for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt += 1) expect(await fail()).toMatchObject({ willRetry: true });
  expect(await fail()).toMatchObject({ willRetry: false });
  expect(await queue.errors()).toEqual(['WORKER_LOST', 'PROVIDER']);
  await queue.close();
});

/** One agent's queue and those who work at it, each act in transactions of its own. */
class Queue {
  readonly claimed: Fence[] = [];

  private constructor(
    private readonly agentId: string,
    private readonly accountId: string,
  ) {}

  static async open(): Promise<Queue> {
    const agent = { agentId: newId(), accountId: newId() };
    await database.transaction((tx) => recordAgent(tx, { ...agent, status: 'active', revision: 1 }));
    return new Queue(agent.agentId, agent.accountId);
  }

  async close(): Promise<void> {
    await database.transaction((tx) => forgetAgent(tx, this.agentId, this.accountId, 2));
  }

  async send(queueMode: 'collect' | 'interrupt' = 'collect'): Promise<void> {
    const input = {
      agentId: this.agentId,
      content: 'm',
      metadata: {},
      channel: 'api' as const,
      queueMode,
      conversationId: 'c',
    };
    const [outcome] = await sendMessages(database, [{ input, accountId: this.accountId, headers: {} }]);
    expect(outcome?.kind).toBe('accepted');
  }

  async claim(): Promise<boolean> {
    const turn = await claimTurn(database, new AccountRotation(), { workerId: 'w', leaseMs: 30_000, fullAccounts: [] });
    if (turn) this.claimed.push({ turnId: turn.turnId, fencingToken: turn.fencingToken });
    return turn !== null;
  }

  async expire(): Promise<void> {
    await database.query(`UPDATE turns SET lease_until = 'epoch' WHERE agent_id = $1 AND state = 'running'`, [
      this.agentId,
    ]);
    await database.transaction(expireTurn);
  }

  /** A worker's report; null when the turn is not its own any more. */
  report<T>(write: Parameters<typeof database.transaction<T>>[0]): Promise<T | null> {
    return database.transaction(write).catch((error: unknown) => {
      if (error instanceof RoostError && error.code === 'CONFLICT') return null;
      throw error;
    });
  }

  complete(fence: Fence) {
    return this.report((tx) => completeTurn(tx, { ...fence, replies: ['r'], usage }));
  }

  fail(fence: Fence) {
    const failure = { error: { code: 'PROVIDER', message: 'overloaded' }, retryable: true, partialReply: '' };
    return this.report((tx) => failTurn(tx, { ...fence, ...failure }, { retryBaseMs: 1 }));
  }

  /** What a worker reports that was interrupted: only if it was, its batch is finished without an answer. */
  stop(fence: Fence) {
    return this.report(async (tx) => {
      const turn = await lockTurn(tx, fence, 'interrupted');
      if (turn.state === 'running' && turn.isInterrupted) await endInterrupted(tx, turn, 'half');
      return turn;
    });
  }

  /** Whoever holds a turn completes it, and what waits is claimed, until nothing does. */
  async answerAll(): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      for (const fence of this.claimed.splice(0)) await this.complete(fence);
      if (await this.claim()) continue;
      const waiting = await database.query(`SELECT 1 FROM messages WHERE agent_id = $1 AND status = 'pending'`, [
        this.agentId,
      ]);
      if (waiting.length === 0) return;
      await sleep(5);
    }
  }

  /** The codes that messages ended with, oldest first. */
  async errors(): Promise<(string | null)[]> {
    const rows = await database.query<{ code: string | null }>(
      `SELECT error->>'code' AS code FROM messages WHERE agent_id = $1 AND role = 'user' ORDER BY seq`,
      [this.agentId],
    );
    return rows.map(({ code }) => code);
  }

  /** How many turns ended each message of the user, and how many replies each completed turn has. */
  async outcome(): Promise<{ ends: number[]; replies: number[] }> {
    const ends = await database.query<{ count: string }>(
      `SELECT (SELECT count(*) FROM turns t WHERE t.agent_id = m.agent_id AND t.message_ids ? m.id
         AND t.state IN ('completed', 'interrupted')) AS count
       FROM messages m WHERE m.agent_id = $1 AND m.role = 'user'`,
      [this.agentId],
    );
    const replies = await database.query<{ count: string }>(
      `SELECT count(r.id) AS count FROM turns t
       FULL JOIN messages r ON r.turn_id = t.id AND r.role = 'assistant'
       WHERE coalesce(t.agent_id, r.agent_id) = $1 AND (t.state = 'completed' OR r.role = 'assistant')
       GROUP BY t.id`,
      [this.agentId],
    );
    return { ends: ends.map(({ count }) => Number(count)), replies: replies.map(({ count }) => Number(count)) };
  }
}
