import { type Database, newId } from '#lib/database';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordAgent } from '../agents/agents.repository.js';
import { sendMessages } from '../messages/send.repository.js';
import { messagingDatabase } from '../../test/messaging-database.js';
import { AccountRotation } from './account-rotation.js';
import { claimTurn } from './claims.service.js';
import { completeTurn, failTurn } from './turns.service.js';

const usage = { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 };
/** Pages that PostgreSQL may read for one claim. Reading what 20,000 waiting agents hold takes hundreds. */
const MAX_PAGES = 150;

describe('claims', () => {
  let database: Database;
  let drop: () => Promise<void>;
  let rotation: AccountRotation;

  beforeAll(async () => {
    ({ database, drop } = await messagingDatabase());
  });
  beforeEach(async () => {
    rotation = new AccountRotation();
    await database.query('TRUNCATE agents, conversations, messages, turns, outbox');
  });
  afterAll(() => drop());

  const claim = (...fullAccounts: string[]) =>
    claimTurn(database, rotation, { workerId: 'w', leaseMs: 30_000, fullAccounts });
  const agentOf = async (accountId: string) => {
    const agentId = newId();
    await database.transaction((tx) => recordAgent(tx, { agentId, accountId, status: 'active', revision: 1 }));
    const sendOne = async () => {
      const chat = { channel: 'api', queueMode: 'collect', conversationId: 'c' } as const;
      await sendMessages(database, [
        { accountId, headers: {}, input: { agentId, content: 'm', metadata: {}, ...chat } },
      ]);
    };
    await sendOne();
    return { agentId, sendOne };
  };
  /** Agents that wait, without their messages: enough for what only looks for the next one. */
  const manyAgents = (count: number, accountOf: string, column = 'next_at', at = 'now()') =>
    database.query(
      `INSERT INTO agents (agent_id, account_id, status, revision, ${column})
       SELECT gen_random_uuid(), ${accountOf}, 'active', 1, ${at} FROM generate_series(1, ${count})`,
    );

  it('serve an account’s first message before the rest of another’s queue', async () => {
    const [flooding, good] = [newId(), newId()];
    for (let n = 0; n < 22; n += 1) await agentOf(flooding);
    await claim();
    await agentOf(good);
    const next = [await claim(), await claim()];
    expect(next.map((turn) => turn?.accountId)).toContain(good);
  });

  it('take an account’s agents in the order in which they became ready', async () => {
    const account = newId();
    const agents = [await agentOf(account), await agentOf(account), await agentOf(account)];
    const claimed = [await claim(), await claim(), await claim()];
    expect(claimed.map((turn) => turn?.agentId)).toEqual(agents.map(({ agentId }) => agentId));
    expect(claimed.map((turn) => turn?.hasMore)).toEqual([true, true, false]);
  });

  it('leave out accounts whose share is used up, and say that nothing more waits when only those do', async () => {
    const [full, alsoFull, good] = [newId(), newId(), newId()];
    for (const account of [full, full, alsoFull, good]) await agentOf(account);
    expect(await claim(full, alsoFull)).toMatchObject({ accountId: good, hasMore: false });
    expect(await claim(full, alsoFull)).toBeNull();
    expect(await claim(alsoFull)).toMatchObject({ accountId: full });
  });

  it('rotate: between two turns of one account every other that waits has one', async () => {
    const [queues, full] = [fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 5 }), fc.nat(5)];
    await fc.assert(
      fc.asyncProperty(queues, full, async (sizes, fullIndex) => {
        await database.query('TRUNCATE agents, conversations, messages, turns, outbox');
        const left = new Map(sizes.map((size) => [newId(), size]));
        for (const [account, size] of left) for (let n = 0; n < size; n += 1) await agentOf(account);
        const excluded = [...left.keys()].slice(fullIndex, fullIndex + 1);
        for (const account of excluded) left.delete(account);
        let round = new Set<string>();
        for (let turn = await claim(...excluded); turn; turn = await claim(...excluded)) {
          // Whoever comes again comes only when all that still wait have been served since.
          if (round.has(turn.accountId)) {
            expect([...left.keys()].filter((id) => (left.get(id) ?? 0) > 0 && !round.has(id))).toEqual([]);
            round = new Set();
          }
          round.add(turn.accountId);
          left.set(turn.accountId, (left.get(turn.accountId) ?? 0) - 1);
        }
        expect([...left.values()]).toEqual([...left.values()].map(() => 0));
      }),
      { numRuns: 12 },
    );
  });

  it('come back to a message whose retry is due, and not before', async () => {
    const { agentId } = await agentOf(newId());
    const turn = await claim();
    const failure = { error: { code: 'PROVIDER', message: 'overloaded' }, retryable: true, partialReply: '' };
    await database.transaction((tx) => failTurn(tx, { ...turn!, ...failure }, { retryBaseMs: 60_000 }));
    expect(await claim()).toBeNull();
    await database.query(`UPDATE conversations SET ready_at = now()`);
    await database.query(`UPDATE agents SET retry_at = now()`);
    expect(await claim()).toMatchObject({ agentId, attempt: 2 });
  });

  it('answer a new message at once while an older one of the agent waits for its retry', async () => {
    const { sendOne } = await agentOf(newId());
    const turn = await claim();
    const failure = { error: { code: 'PROVIDER', message: 'overloaded' }, retryable: true, partialReply: '' };
    await database.transaction((tx) => failTurn(tx, { ...turn!, ...failure }, { retryBaseMs: 60_000 }));
    await database.query(`UPDATE conversations SET id = 'other'`);
    await database.query(`UPDATE messages SET conversation_id = 'other'`);
    await sendOne();
    const next = await claim();
    expect(next).toMatchObject({ conversationId: 'c' });
    await database.transaction((tx) => completeTurn(tx, { ...next!, replies: ['r'], usage }));
    const [row] = await database.query(`SELECT next_at, retry_at > now() AS later FROM agents`);
    expect(row).toEqual({ next_at: null, later: true });
  });

  it.each([
    ['of one account that is full', 'full', 'next_at', 'now()'],
    ['of as many accounts', 'gen_random_uuid()', 'next_at', 'now()'],
    ['that only wait for a retry', 'gen_random_uuid()', 'retry_at', `now() + interval '1 hour'`],
  ])('cost the same beside 20,000 agents %s', async (_, accountOf, column, at) => {
    const [full, good] = [newId(), newId()];
    // The statement is planned while the table is empty, as in a young database.
    for (let n = 0; n < 10; n += 1) await claim(full);
    await manyAgents(20_000, accountOf === 'full' ? `'${full}'` : accountOf, column, at);
    await agentOf(good);
    if (accountOf !== 'full' && column === 'next_at') rotation.served(good.replace(/.{4}$/, '0000'));
    const before = await pagesRead(database);
    expect(await claim(full)).toMatchObject({ accountId: good });
    expect((await pagesRead(database)) - before).toBeLessThan(MAX_PAGES);
  });
});

/** Of all sessions; PostgreSQL reports it once a session has nothing to do, or when it is asked to. */
async function pagesRead(database: Database): Promise<number> {
  await database.query('SELECT pg_stat_force_next_flush()');
  const [row] = await database.query<{ pages: string }>(
    `SELECT sum(idx_blks_read + idx_blks_hit + heap_blks_read + heap_blks_hit) AS pages
     FROM pg_statio_user_tables WHERE relname = 'agents'`,
  );
  return Number(row?.pages);
}
