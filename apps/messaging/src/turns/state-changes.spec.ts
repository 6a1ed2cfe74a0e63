import { type AgentState, type MessageInQueue, RoostError } from '#lib/contracts';
import { type Database, newId } from '#lib/database';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forgetAgent, recordAgent } from '../agents/agents.repository.js';
import { getMessage, listMessages } from '../messages/messages.repository.js';
import { sendMessages } from '../messages/send.repository.js';
import { messagingDatabase } from '../../test/messaging-database.js';
import { AccountRotation } from './account-rotation.js';
import { claimTurn } from './claims.service.js';
import { completeTurn, endCancelled, expireTurn, failTurn, releaseTurn } from './turns.service.js';
import { type Fence, heartbeatTurn } from './turns.repository.js';

const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
/** Enough for every change; `ROOST_INTERLEAVINGS=5000` searches longer. */
const RUNS = 100;
/** More than the tries of all messages of a run, and their waits. */
const MAX_TRIES = 400;

let database: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ database, drop } = await messagingDatabase());
});
afterAll(() => drop());

/** What makes a batch be lost or doubled comes more often than the rest. */
const acts = [
  ...[
    'claim',
    'claim',
    'claim',
    'claim',
    'heartbeat',
    'heartbeat',
    'heartbeat of the version before',
    'heartbeat of the version before',
  ],
  ...['stop', 'stop', 'error', 'error', 'activate', 'activate', 'activate', 'pause', 'exhaust', 'top up', 'delete'],
  ...['send', 'send elsewhere', 'interrupt', 'lose', 'complete', 'fail', 'refuse', 'release'],
] as const;

it('answers every message, fails it with a reason or says what it waits for, whatever becomes of its agent', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...acts), { minLength: 6, maxLength: 14, size: 'max' }),
      async (steps) => {
        const agent = await Agent.open();
        for (const step of ['send', ...steps] as const) {
          await agent.act(step);
          await agent.check();
        }
        await agent.act('activate');
        await agent.act('top up');
        await agent.answerAll();
        await agent.close();
      },
    ),
    { numRuns: Number(process.env['ROOST_INTERLEAVINGS'] ?? RUNS) },
  );
}, 600_000);

it.each([
  { after: ['pause'], reason: 'paused' },
  { after: ['stop'], reason: 'stopped' },
  { after: ['error'], reason: 'error' },
  { after: ['exhaust'], reason: 'balance' },
  { after: ['exhaust', 'stop'], reason: 'stopped' },
  { after: ['claim', 'send'], reason: 'turn' },
  { after: ['claim', 'stop', 'heartbeat'], reason: 'stopped' },
  { after: ['claim', 'stop', 'heartbeat of the version before'], reason: 'stopped' },
  { after: ['claim', 'error', 'heartbeat'], reason: 'error' },
  { after: ['claim', 'stop', 'refuse'], reason: 'stopped' },
  { after: ['claim', 'stop', 'lose'], reason: 'stopped' },
  { after: ['pause', 'activate'], reason: 'slot' },
  { after: ['claim', 'fail slowly'], reason: 'retry' },
  { after: ['claim', 'fail slowly', 'pause'], reason: 'paused' },
] as const)('says after $after that the newest message waits for: $reason', async ({ after, reason }) => {
  const agent = await Agent.open();
  await agent.act('send');
  for (const step of after) await agent.act(step);
  const newest = await agent.newest();
  expect(newest).toMatchObject({ status: 'pending', waitingFor: { reason } });
  if (reason === 'retry') {
    expect(newest.waitingFor?.error).toEqual({ code: 'MODEL_OVERLOADED', message: 'busy' });
    expect(newest.waitingFor?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now());
  } else expect(newest.waitingFor).toEqual({ reason, error: null, nextAttemptAt: null });
  await agent.close();
});

type Act = (typeof acts)[number] | 'fail slowly';

/** One agent's queue, and the one worker that may hold its turn. */
class Agent {
  private readonly sent: string[] = [];
  private claimed: (Fence & { ids: string[] }) | undefined;
  /** Messages whose turn ran when a newer message interrupted it. */
  private readonly interrupted = new Set<string>();
  private state: AgentState;
  private isDeleted = false;

  private constructor() {
    this.state = { agentId: newId(), accountId: newId(), status: 'active', revision: 1, isExhausted: false };
  }

  static async open(): Promise<Agent> {
    const agent = new Agent();
    await database.transaction((tx) => recordAgent(tx, agent.state));
    return agent;
  }

  async close(): Promise<void> {
    if (!this.isDeleted) await this.act('delete');
  }

  async act(act: Act): Promise<void> {
    const { claimed } = this;
    if (act === 'send') await this.send('c');
    else if (act === 'send elsewhere') await this.send('d');
    else if (act === 'interrupt') await this.send('c', 'interrupt');
    else if (act === 'claim') await this.claim();
    else if (act === 'pause') await this.become({ status: 'paused' });
    else if (act === 'activate') await this.become({ status: 'active' });
    else if (act === 'stop') await this.become({ status: 'stopped' });
    else if (act === 'error') await this.become({ status: 'error' });
    else if (act === 'exhaust') await this.become({ isExhausted: true });
    else if (act === 'top up') await this.become({ isExhausted: false });
    else if (act === 'delete') {
      const { agentId, accountId, revision } = this.state;
      await database.transaction((tx) => forgetAgent(tx, agentId, accountId, revision + 1));
      this.isDeleted = true;
    } else if (claimed) await this.work(act, claimed);
  }

  /** What a worker does with its turn. */
  private async work(act: Act, { turnId, fencingToken }: Fence): Promise<void> {
    const claimed = { turnId, fencingToken };
    const retry = { retryBaseMs: act === 'fail slowly' ? 60_000 : 1 };
    const passing = { error: { code: 'MODEL_OVERLOADED', message: 'busy' }, retryable: true, partialReply: 'half' };
    const refused = { error: { code: 'MODEL_REFUSED_REQUEST', message: 'no' }, retryable: false, partialReply: '' };
    if (act === 'lose') {
      await database.query(`UPDATE turns SET lease_until = 'epoch' WHERE id = $1`, [claimed.turnId]);
      await database.transaction(expireTurn);
      this.claimed = undefined;
      return;
    }
    await database
      .transaction(async (tx) => {
        if (act === 'complete') await completeTurn(tx, { ...claimed, replies: ['r'], usage });
        else if (act === 'release') await releaseTurn(tx, claimed);
        else if (act === 'fail' || act === 'fail slowly') await failTurn(tx, { ...claimed, ...passing }, retry);
        else if (act === 'refuse') await failTurn(tx, { ...claimed, ...refused }, retry);
        else {
          const { cancelled, stopped } = await heartbeatTurn(database, claimed, 30_000);
          if (!cancelled) return;
          if (stopped && act === 'heartbeat') await releaseTurn(tx, claimed);
          else await endCancelled(tx, claimed, 'half');
        }
        this.claimed = undefined;
      })
      .catch((error: unknown) => {
        if (!(error instanceof RoostError && error.code === 'CONFLICT' && this.isDeleted)) throw error;
        this.claimed = undefined;
      });
  }

  private async send(conversationId: string, queueMode: 'collect' | 'interrupt' = 'collect'): Promise<void> {
    const { agentId, accountId } = this.state;
    const input = { agentId, content: 'm', metadata: {}, channel: 'api' as const, queueMode, conversationId };
    const [outcome] = await sendMessages(database, [{ input, accountId, headers: {} }]);
    if (outcome?.kind !== 'accepted') return;
    this.sent.push(outcome.message.id);
    if (queueMode === 'interrupt') for (const id of this.claimed?.ids ?? []) this.interrupted.add(id);
  }

  private async claim(): Promise<void> {
    const turn = await claimTurn(database, new AccountRotation(), { workerId: 'w', leaseMs: 30_000, fullAccounts: [] });
    if (!turn) return;
    expect(this.claimed).toBeUndefined();
    expect(this.state).toMatchObject({ status: 'active', isExhausted: false });
    this.claimed = { turnId: turn.turnId, fencingToken: turn.fencingToken, ids: turn.messages.map(({ id }) => id) };
  }

  private async become(change: Partial<AgentState>): Promise<void> {
    this.state = { ...this.state, ...change, revision: this.state.revision + 1 };
    await database.transaction((tx) => recordAgent(tx, this.state));
  }

  async newest(): Promise<MessageInQueue> {
    return (await this.look(this.sent.at(-1) ?? '')).message;
  }

  private look(id: string) {
    const { agentId, accountId } = this.state;
    return getMessage(database, accountId, agentId, id, () => Promise.resolve());
  }

  async check(): Promise<void> {
    const { agentId, accountId, status } = this.state;
    const { messages: listed } = await listMessages(database, accountId, { agentId, limit: 100 }, () =>
      Promise.resolve(),
    );
    const users = listed.filter(({ role }) => role === 'user');
    expect(users.map(({ id }) => id)).toEqual(this.isDeleted ? [] : this.sent);
    for (const { id, waitingFor } of users) {
      const { message, replies } = await this.look(id);
      const isClaimed = message.status === 'delivered' && this.claimed !== undefined;
      const why = {
        isAnswered: replies.length > 0,
        isFailed: message.error !== null,
        isClaimed,
        waits: message.waitingFor !== null,
      };
      // Exactly one is true of each message at any time.
      expect(Object.values(why).filter(Boolean), JSON.stringify({ message, why })).toHaveLength(1);
      if (message.error?.code === 'INTERRUPTED') expect(this.interrupted.has(id)).toBe(true);
      expect(why.waits).toBe(message.status === 'pending');
      expect(why.waits).toBe(waitingFor !== null);
      if (why.waits && status !== 'active') expect(message.waitingFor?.reason).toBe(status);
    }
  }

  /** The agent is active and has balance: whatever waits is claimed and answered. */
  async answerAll(): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES && !this.isDeleted; tries += 1) {
      if (this.claimed) await this.act('heartbeat');
      if (this.claimed) await this.act('complete');
      await this.claim();
      if (this.claimed) continue;
      const waiting = await database.query(
        `SELECT 1 FROM messages WHERE agent_id = $1 AND status <> 'read' AND role = 'user'`,
        [this.state.agentId],
      );
      if (waiting.length === 0) return this.check();
      await sleep(5);
    }
    expect(this.isDeleted).toBe(true);
  }
}
