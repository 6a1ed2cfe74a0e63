import { randomUUID } from 'node:crypto';
import {
  checkAgentReady,
  createBudget,
  debitTokens,
  deleteBudget,
  getAgentForTurn,
  getBudget,
  listBudgets,
  syncBudget,
  updateBudget,
} from '#lib/contracts';
import { serve } from '#lib/rpc';
import { until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

describe('budgets', () => {
  let service: LifecycleService;
  /** What was sent to messaging, in order. */
  const synced: { budgetId: string; isExhausted: boolean; revision: number }[] = [];
  beforeAll(async () => {
    service = await lifecycleService({ ROOST_BWRAP: '' });
    serve(
      service.bus.connection,
      syncBudget,
      syncBudget.subject,
      (block) => (synced.push(block), { accepted: true }),
      () => undefined,
    );
  });
  afterAll(() => service.stop());

  const debit = (agentId: string, tokens: number, cost_usd: string | null = '0', step_id: string = randomUUID()) =>
    service.ask(
      debitTokens,
      {
        agent_id: agentId,
        step_id,
        output_tokens: 0,
        usage: {
          model: 'm/m',
          source: 'api',
          input_tokens: tokens,
          output_tokens: 0,
          cached_input_tokens: 0,
          cache_write_tokens: 0,
          reasoning_tokens: 0,
          cost_usd,
        },
      },
      null,
    );
  const eventsOf = async (budgetId: string) => {
    const rows = await service.rows.query<{ subject: string }>(
      `SELECT subject FROM outbox WHERE key = $1 ORDER BY id`,
      [budgetId],
    );
    return rows.map(({ subject }) => subject.replace('events.lifecycle.budget.', ''));
  };
  const used = async (account: string, budget_id: string) => {
    const { usedTokens, usedUsd, isExhausted } = await service.ask(getBudget, { budget_id }, account);
    return { used: usedTokens ?? usedUsd, isExhausted };
  };

  it('announce the threshold once and the limit once, and count a repeated step once', async () => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    const budget = await service.ask(
      createBudget,
      { agent_id: id, limit_tokens: 1_000, threshold_percent: 50 },
      account,
    );
    expect(budget).toMatchObject({ agentId: id, limitTokens: 1_000, limitUsd: null, usedTokens: 0, period: 'month' });
    await expect(debit(id, 400)).resolves.toMatchObject({ budget: { isExhausted: false, needsPrice: false } });
    await debit(id, 100, '0', 'same');
    await debit(id, 100, '0', 'same');
    expect(await eventsOf(budget.id)).toEqual(['threshold']);
    await debit(id, 499);
    await expect(service.ask(checkAgentReady, { agent_id: id }, account)).resolves.toMatchObject({ ready: true });
    await expect(debit(id, 10)).resolves.toMatchObject({ budget: { isExhausted: true } });
    await expect(service.ask(checkAgentReady, { agent_id: id }, account)).resolves.toMatchObject({
      ready: false,
      reason: expect.stringContaining('budget') as string,
    });
    await debit(id, 10);
    expect(await eventsOf(budget.id)).toEqual(['threshold', 'exhausted']);
    await expect(used(account, budget.id)).resolves.toEqual({ used: 1_019, isExhausted: true });
    await expect(service.ask(getAgentForTurn, { agent_id: id }, null)).resolves.toMatchObject({
      budget: { isExhausted: true, needsPrice: false },
    });
    expect(synced.filter(({ budgetId }) => budgetId === budget.id).map(({ isExhausted }) => isExhausted)).toEqual([
      false,
      true,
    ]);
  });

  it('go on when the limit is raised, when they are deleted, and when the period turns', async () => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    const { id: budgetId } = await service.ask(createBudget, { limit_tokens: 100, period: 'day' }, account);
    await debit(id, 150);
    await expect(used(account, budgetId)).resolves.toEqual({ used: 150, isExhausted: true });
    await service.ask(updateBudget, { budget_id: budgetId, limit_tokens: 1_000 }, account);
    await expect(used(account, budgetId)).resolves.toEqual({ used: 150, isExhausted: false });
    await debit(id, 900);
    await service.rows.query(`UPDATE budgets SET period_ends_at = now() - interval '1 ms' WHERE id = $1`, [budgetId]);
    await until('the period turned', async () => (await eventsOf(budgetId)).at(-1) === 'reset');
    await expect(used(account, budgetId)).resolves.toEqual({ used: 0, isExhausted: false });
    // A threshold that the higher limit left behind is announced again; each period has its own.
    expect(await eventsOf(budgetId)).toEqual(['threshold', 'exhausted', 'reset', 'threshold', 'exhausted', 'reset']);
    await debit(id, 1_000);
    await service.ask(deleteBudget, { budget_id: budgetId }, account);
    expect((await eventsOf(budgetId)).slice(-2)).toEqual(['exhausted', 'reset']);
    await expect(debit(id, 10)).resolves.toMatchObject({ budget: { isExhausted: false } });
  });

  it('turn for everybody when the zone of one is not known any more', async () => {
    const [odd, other] = await Promise.all(
      [randomUUID(), randomUUID()].map(async (account) => {
        const { id } = await service.agent({}, account);
        const budget = await service.ask(createBudget, { limit_tokens: 100, period: 'day' }, account);
        await debit(id, 150);
        return budget.id;
      }),
    );
    await service.rows.query(
      `UPDATE budgets SET period_ends_at = now() - interval '1 ms', timezone = CASE id WHEN $1 THEN 'Moon/Tycho' ELSE timezone END
       WHERE id IN ($1, $2)`,
      [odd, other],
    );
    for (const id of [odd, other])
      await until('the period turned', async () => (await eventsOf(id ?? '')).at(-1) === 'reset');
  });

  it('begin a new period with the first step in it', async () => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    const { id: budgetId } = await service.ask(
      createBudget,
      { agent_id: id, limit_tokens: 100, period: 'day' },
      account,
    );
    await debit(id, 90);
    await service.rows.query(`UPDATE budgets SET period_ends_at = now() - interval '1 ms' WHERE id = $1`, [budgetId]);
    await expect(used(account, budgetId)).resolves.toEqual({ used: 0, isExhausted: false });
    await debit(id, 30);
    await expect(used(account, budgetId)).resolves.toEqual({ used: 30, isExhausted: false });
  });

  it('in money count what is priced, and say that a price is needed', async () => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    await debit(id, 5, '0.75');
    // What was used before it was made, in the same period, counts.
    const budget = await service.ask(createBudget, { limit_usd: '1.5' }, account);
    expect(budget).toMatchObject({ usedUsd: 750_000_000n, limitUsd: 1_500_000_000n, usedTokens: null });
    await expect(debit(id, 5, null)).resolves.toMatchObject({ budget: { isExhausted: false, needsPrice: true } });
    await expect(debit(id, 5, '0.75')).resolves.toMatchObject({ budget: { isExhausted: true } });
  });

  it('let at most the steps under way go beyond the limit, with 20 turns of an account at once', async () => {
    const account = randomUUID();
    const limit = 10_000;
    const step = 100;
    const agents = await Promise.all(Array.from({ length: 20 }, () => service.agent({}, account)));
    const { id: budgetId } = await service.ask(createBudget, { limit_tokens: limit }, account);
    const turn = async (agentId: string) => {
      for (;;) {
        const { budget } = await debit(agentId, step);
        if (budget?.isExhausted) return;
      }
    };
    await Promise.all(agents.map(({ id }) => turn(id)));
    const { used: total } = await used(account, budgetId);
    expect(total).toBeGreaterThanOrEqual(limit);
    expect(total).toBeLessThanOrEqual(limit + agents.length * step);
    expect(await eventsOf(budgetId)).toEqual(['threshold', 'exhausted']);
  });

  it.each([
    ['the agent', 'budget first', true, true],
    ['the agent', 'step first', true, false],
    ['the account', 'budget first', false, true],
    ['the account', 'step first', false, false],
  ])('of %s count a step that is debited while they are made: %s', async (_of, _order, isAgents, isBudgetFirst) => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    const make = () =>
      service.ask(createBudget, { ...(isAgents ? { agent_id: id } : {}), limit_tokens: 1_000, period: 'day' }, account);
    const step = () => debit(id, 70);
    const { held, release } = await holdAgent(id);
    const first = isBudgetFirst ? make() : step();
    await waitersBehind(held, 1);
    const second = isBudgetFirst ? step() : make();
    await waitersBehind(held, 2);
    await release();
    await Promise.all([first, second]);
    const [budget] = (await service.ask(listBudgets, { agent_id: id }, account)).budgets;
    expect(budget?.usedTokens).toBe(70);
  });

  /** Has whatever wants the agent's lock wait. */
  const holdAgent = async (agentId: string) => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let held: (backend: number) => void = () => undefined;
    const holding = new Promise<number>((resolve) => (held = resolve));
    const done = service.rows.transaction(async (tx) => {
      await tx.query(`SELECT 1 FROM agents WHERE id = $1 FOR UPDATE`, [agentId]);
      const [row] = await tx.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid`);
      held(row?.pid ?? 0);
      await released;
    });
    return { held: await holding, release: () => (release(), done) };
  };
  const waitersBehind = (backend: number, count: number) =>
    until(`${count} wait`, async () => {
      const rows = await service.rows.query(
        `WITH RECURSIVE behind AS (
           SELECT $1::int AS pid
           UNION
           SELECT a.pid FROM pg_stat_activity a JOIN behind ON behind.pid = ANY(pg_blocking_pids(a.pid))
         ) SELECT pid FROM behind WHERE pid <> $1`,
        [backend],
      );
      return rows.length === count;
    });

  it('are those of the account alone, and refuse what makes no sense', async () => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    const refused = { code: 'VALIDATION_ERROR' };
    await expect(
      service.ask(createBudget, { limit_tokens: 5, timezone: 'Mars/Olympus' }, account),
    ).rejects.toMatchObject(refused);
    await expect(service.ask(createBudget, { limit_usd: '0' }, account)).rejects.toMatchObject(refused);
    expect(() => createBudget.input.parse({})).toThrow();
    expect(() => createBudget.input.parse({ limit_tokens: 1, limit_usd: '1' })).toThrow();
    await expect(service.ask(createBudget, { agent_id: id, limit_tokens: 5 }, randomUUID())).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const { id: budgetId } = await service.ask(createBudget, { agent_id: id, limit_tokens: 5 }, account);
    const theirs = { budget_id: budgetId };
    for (const tried of [
      service.ask(getBudget, theirs, randomUUID()),
      service.ask(updateBudget, theirs, randomUUID()),
      service.ask(deleteBudget, theirs, randomUUID()),
    ])
      await expect(tried).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const own = await service.ask(listBudgets, { agent_id: id }, account);
    expect(own.budgets.map((budget) => budget.id)).toEqual([budgetId]);
    await Promise.all(
      Array.from({ length: 9 }, () => service.ask(createBudget, { agent_id: id, limit_tokens: 5 }, account)),
    );
    await expect(service.ask(createBudget, { agent_id: id, limit_tokens: 5 }, account)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });
});
