import { changeBalance, debitTokens, getAgentState, updateAgent } from '#lib/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_BWRAP: '' });
});
afterAll(() => service.stop());

const errorsOf = (agentId: string) =>
  service.rows.query(`SELECT payload FROM outbox WHERE key = $1 AND subject = 'events.lifecycle.agent.errored'`, [
    agentId,
  ]);

const NO_BUDGET = { isExhausted: false, needsPrice: false };

describe('the balance', () => {
  it('is set, added to and never below zero, each change with a ledger row', async () => {
    const { id } = await service.agent({ output_token_balance: 100 });
    const change = (input: { output_token_balance?: number; delta?: number }) =>
      service.ask(changeBalance, { agent_id: id, ...input });
    await expect(change({ delta: -40 })).resolves.toEqual({ outputTokenBalance: 60, totalOutputTokensUsed: 0 });
    await expect(change({ delta: -61 })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ current: 60 }] });
    await expect(change({ output_token_balance: 7 })).resolves.toMatchObject({ outputTokenBalance: 7 });
    await expect(change({ delta: Number.MAX_SAFE_INTEGER })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(change({})).rejects.toThrow();
    await expect(change({ delta: 1, output_token_balance: 1 })).rejects.toThrow();
    await service.ask(updateAgent, { agent_id: id, output_token_balance: 9 });
    const ledger = await service.rows.query(
      `SELECT reason, actor, balance_before::int AS before, balance_after::int AS after FROM balance_ledger
       WHERE agent_id = $1 ORDER BY id`,
      [id],
    );
    expect(ledger).toEqual([
      { reason: 'created', actor: service.account, before: 0, after: 100 },
      { reason: 'added', actor: service.account, before: 100, after: 60 },
      { reason: 'set', actor: service.account, before: 60, after: 7 },
      { reason: 'set', actor: service.account, before: 7, after: 9 },
    ]);
  });

  it('pays for a step once, however often it is reported at the same time', async () => {
    const { id } = await service.agent({ output_token_balance: 100 });
    const debit = (stepId: string) =>
      service.ask(debitTokens, { agent_id: id, step_id: stepId, output_tokens: 10 }, null);
    await Promise.all(['a', 'a', 'a', 'b', 'b'].map(debit));
    await expect(debit('a')).resolves.toEqual({ outputTokenBalance: 80, budget: NO_BUDGET });
    await expect(service.ask(changeBalance, { agent_id: id, delta: 0 })).resolves.toEqual({
      outputTokenBalance: 80,
      totalOutputTokensUsed: 20,
    });
  });

  it('reports once that it ran out, holds turns until a top-up, and reports again the next time', async () => {
    const { id } = await service.agent({ output_token_balance: 5 });
    const debit = (step_id: string) => service.ask(debitTokens, { agent_id: id, step_id, output_tokens: 50 }, null);
    const state = () => service.ask(getAgentState, { agent_id: id }, null);
    await expect(debit('1')).resolves.toEqual({ outputTokenBalance: 0, budget: NO_BUDGET });
    await debit('2');
    expect(await errorsOf(id)).toMatchObject([{ payload: { code: 'BALANCE_EXHAUSTED' } }]);
    await expect(state()).resolves.toMatchObject({ status: 'active', isExhausted: true, revision: 2 });
    await service.ask(changeBalance, { agent_id: id, delta: 5 });
    await expect(state()).resolves.toMatchObject({ isExhausted: false, revision: 3 });
    await debit('3');
    expect(await errorsOf(id)).toHaveLength(2);
  });
});
