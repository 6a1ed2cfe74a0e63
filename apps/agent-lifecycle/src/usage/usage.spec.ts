import { randomUUID } from 'node:crypto';
import { debitTokens, deleteAgent, getUsage, type UsageReport } from '#lib/contracts';
import { periodAt } from '#lib/time-zones';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';
import { reportSql, sumUp } from './usage.repository.js';

interface Step {
  agentId: string;
  model: string;
  source: 'api' | 'schedule';
  at: number;
  tokens: number;
  cost: number | null;
}

const FROM = Date.UTC(2026, 9, 20);
const DAYS = 12;

describe('usage', () => {
  let service: LifecycleService;
  beforeAll(async () => {
    service = await lifecycleService({ ROOST_BWRAP: '' });
  });
  afterAll(() => service.stop());

  const debit = (agentId: string, step_id: string, more: object = {}) =>
    service.ask(
      debitTokens,
      {
        agent_id: agentId,
        step_id,
        output_tokens: 10,
        usage: {
          model: 'openai/gpt-5',
          source: 'api',
          input_tokens: 90,
          output_tokens: 10,
          cached_input_tokens: 40,
          cache_write_tokens: 0,
          reasoning_tokens: 3,
          cost_usd: '0.0005',
          ...more,
        },
      },
      null,
    );

  it('counts each step once, whether or not it was summed yet, and after its agent was deleted', async () => {
    const account = randomUUID();
    const { id } = await service.agent({}, account);
    const report = (group_by: UsageReport['groupBy'] = 'agent') => service.ask(getUsage, { group_by }, account);
    await Promise.all(['a', 'a', 'b'].map((step) => debit(id, step)));
    await debit(id, 'c', { model: 'openai/own', cost_usd: null, output_tokens: 0 });
    const expected = {
      steps: 3,
      inputTokens: 270,
      outputTokens: 20,
      cachedInputTokens: 120,
      reasoningTokens: 9,
      costUsd: null,
      knownCostUsd: 1_000_000n,
      unpricedSteps: 1,
    };
    expect((await report()).total).toMatchObject(expected);
    await service.rows.transaction(sumUp);
    await service.rows.transaction(sumUp);
    await debit(id, 'd');
    expect((await report()).total).toMatchObject({
      ...expected,
      cachedInputTokens: 160,
      reasoningTokens: 12,
      steps: 4,
      inputTokens: 360,
      outputTokens: 30,
      knownCostUsd: 1_500_000n,
    });
    const byModel = (await report('model')).rows.map(({ model, steps, costUsd }) => [model, steps, costUsd]);
    expect(byModel).toEqual([
      ['openai/gpt-5', 3, 1_500_000n],
      ['openai/own', 1, null],
    ]);
    await service.ask(deleteAgent, { agent_id: id }, account);
    await service.rows.transaction(sumUp);
    const { rows, total } = await report();
    expect(rows).toMatchObject([{ agentId: id, steps: 4 }]);
    expect(total.steps).toBe(4);
    // Nothing of another account.
    expect((await service.ask(getUsage, { group_by: 'model' }, randomUUID())).total).toMatchObject({
      steps: 0,
      costUsd: 0n,
    });
  });

  it('is the sum of its steps for any group, zone and range', async () => {
    const account = randomUUID();
    const agents = await Promise.all([service.agent({}, account), service.agent({}, account)]);
    const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Chatham', 'America/Havana'];
    const steps: Step[] = [];
    const quarter = 15 * 60_000;
    const instants = fc.integer({ min: 0, max: DAYS * 96 }).map((n) => FROM + n * quarter);
    const step = fc.record({
      agentId: fc.constantFrom(...agents.map(({ id }) => id)),
      model: fc.constantFrom('a/one', 'b/two'),
      source: fc.constantFrom('api' as const, 'schedule' as const),
      at: fc.integer({ min: FROM, max: FROM + DAYS * 86_400_000 }),
      tokens: fc.integer({ min: 0, max: 5_000 }),
      cost: fc.option(fc.integer({ min: 0, max: 1_000_000 })),
    });
    for (const batch of [0, 1, 2]) {
      const made = fc.sample(step, 300);
      steps.push(...made);
      await service.rows.query(
        `INSERT INTO balance_ledger (agent_id, account_id, actor, reason, step_id, output_tokens, balance_before,
           balance_after, model, source, input_tokens, used_output_tokens, cached_input_tokens, cache_write_tokens,
           reasoning_tokens, cost_nano_usd, created_at)
         SELECT s.agent, $1, 'x', 'used', gen_random_uuid()::text, 0, 0, 0, s.model, s.source, s.tokens, 0, 0, 0, 0, s.cost, s.at
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[])
           AS s (agent, model, source, tokens, cost, at)`,
        [
          account,
          made.map(({ agentId }) => agentId),
          made.map(({ model }) => model),
          made.map(({ source }) => source),
          made.map(({ tokens }) => tokens),
          made.map(({ cost }) => cost),
          made.map(({ at }) => new Date(at)),
        ],
      );
      // The last batch is not summed yet.
      if (batch < 2) await service.rows.transaction(sumUp);
    }
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('agent' as const, 'model' as const, 'day' as const, 'source' as const),
        fc.constantFrom(...zones),
        instants,
        instants,
        fc.option(fc.constantFrom(...agents.map(({ id }) => id))),
        async (groupBy, timezone, one, other, agentId) => {
          const [from, to] = [Math.min(one, other), Math.max(one, other) + quarter];
          const report = await service.ask(
            getUsage,
            {
              group_by: groupBy,
              timezone,
              from: new Date(from).toISOString(),
              to: new Date(to).toISOString(),
              ...(agentId === null ? {} : { agent_id: agentId }),
            },
            account,
          );
          const meant = steps.filter(
            ({ at, agentId: of }) => at >= from && at < to && (agentId === null || of === agentId),
          );
          const keyOf = (of: Step) =>
            ({ agent: of.agentId, model: of.model, source: of.source, day: dateOf(of.at, timezone) })[groupBy];
          const expected = new Map<string, Step[]>();
          for (const of of meant) expected.set(keyOf(of), [...(expected.get(keyOf(of)) ?? []), of]);
          const shown = Object.fromEntries(
            report.rows.map((row) => [row.agentId ?? row.model ?? row.source ?? row.day ?? '', row]),
          );
          expect(Object.keys(shown).toSorted()).toEqual([...expected.keys()].toSorted());
          for (const [key, of] of expected) {
            expect(shown[key]).toMatchObject({
              steps: of.length,
              inputTokens: of.reduce((sum, { tokens }) => sum + tokens, 0),
              knownCostUsd: BigInt(of.reduce((sum, { cost }) => sum + (cost ?? 0), 0)),
              unpricedSteps: of.filter(({ cost }) => cost === null).length,
            });
          }
          expect(report.total.steps).toBe(meant.length);
        },
      ),
      { numRuns: 120 },
    );
  });

  it('refuses zones, dates and ranges that there are not', async () => {
    const refused = { code: 'VALIDATION_ERROR' };
    for (const query of [
      { timezone: 'Mars/Olympus' },
      { timezone: '+02:00' },
      { from: '2026-02-30' },
      { from: '2026-02-01T00:00:00' },
      { from: '2026-02-02', to: '2026-02-01' },
      { from: '2020-01-01', to: '2026-02-01' },
    ])
      await expect(service.ask(getUsage, query), JSON.stringify(query)).rejects.toMatchObject(refused);
    const day = await service.ask(getUsage, { from: '2026-03-29', to: '2026-03-30', timezone: 'Europe/Berlin' });
    expect([day.from, day.to].map((at) => at.toISOString())).toEqual([
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
  });

  it('is read by its indexes', async () => {
    const account = randomUUID();
    const agentId = randomUUID();
    // Three days of an account that uses six models, among many others.
    await service.rows.query(
      `INSERT INTO usage_rollups (account_id, grain, starts_at, agent_id, model, source, steps, input_tokens, output_tokens,
         cached_input_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd, unpriced_steps)
       SELECT CASE WHEN n < 288 THEN $1 ELSE gen_random_uuid() END, grain, $3::timestamptz + n % 288 * interval '15 minutes',
         CASE WHEN grain LIKE 'agent%' THEN CASE WHEN n < 288 THEN $2::uuid ELSE gen_random_uuid() END END, model, 'api', 1, 1, 1, 0, 0, 0, 1, 0
       FROM generate_series(0, 1999) n CROSS JOIN (
         SELECT grain, '' AS model FROM unnest(ARRAY['account_sum', 'agent_sum']) grain UNION ALL
         SELECT grain, 'm' || m FROM generate_series(1, 6) m, unnest(ARRAY['account_quarter', 'agent_quarter']) grain) made`,
      [account, agentId, new Date(FROM)],
    );
    await service.rows.query('ANALYZE usage_rollups');
    const values = [account, null, new Date(FROM), new Date(FROM + 86_400_000), 'UTC'];
    for (const [groupBy, of, most] of [
      ['day', null, 96],
      ['day', agentId, 96],
      ['agent', null, 6 * 96],
      ['model', agentId, 6 * 96],
    ] as const) {
      const plan = await service.rows.query<{ 'QUERY PLAN': string }>(
        `EXPLAIN (ANALYZE, TIMING OFF) ${reportSql(groupBy, of !== null)}`,
        values.with(1, of),
      );
      const text = plan.map((line) => line['QUERY PLAN']).join('\n');
      expect(text).toMatch(/usage_rollups_(account_id|agent)/);
      expect(text).toContain('balance_ledger_xid');
      expect(text).not.toMatch(/Seq Scan on (usage_rollups|balance_ledger)/);
      // Nothing reads more of the sums than what the account has of that day. Steps that wait to be summed come from others.
      const read = [...text.matchAll(/ on usage_rollups .*actual rows=([\d.]+)/g)].map(([, rows]) => Number(rows));
      expect(read).not.toEqual([]);
      expect(Math.max(...read)).toBeLessThanOrEqual(most);
    }
  });
});

/** The date that a zone's calendar shows. */
function dateOf(at: number, zone: string): string {
  const shown = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
  // Both ways of knowing a day agree, but for the hour before a repeated midnight, which shows the old date again.
  expect(periodAt(at, 'day', zone).startsAt).toBeLessThanOrEqual(at);
  return shown.format(at);
}
