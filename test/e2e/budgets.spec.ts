import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MisbehavingProvider, startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Budget {
  id: string;
  limit_tokens: number | null;
  used_tokens: number | null;
  is_exhausted: boolean;
}
interface Report {
  rows: {
    day: string | null;
    agent_id: string | null;
    model: string | null;
    input_tokens: number;
    output_tokens: number;
  }[];
  total: { steps: number; input_tokens: number; output_tokens: number; cost_usd: string | null };
}
interface Answer {
  message: {
    status: string;
    error: { code: string } | null;
    waiting_for: { reason: string; next_attempt_at: string | null } | null;
  };
  replies: { content: string }[];
}

const STEP = { input: 90, output: 10 };
const TURNS = 20;
const LIMIT = 5_000;

describe('usage and budgets', () => {
  let roost: TestRoost;
  let provider: MisbehavingProvider;
  let receiver: Server;
  const webhooks: { type: string; data: { budget: Budget } }[] = [];

  beforeAll(async () => {
    provider = await MisbehavingProvider.start();
    provider.models = ['gpt-own', 'unpriced'];
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        webhooks.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as (typeof webhooks)[number]);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    roost = await startRoost({
      env: {
        ...provider.env('openai-chat'),
        ROOST_DEFAULT_MODEL: 'openai/gpt-own',
        ROOST_MODEL_RETRY_MS: '1',
        ROOST_RETRY_BASE_MS: '1',
        ROOST_MODEL_PRICES: JSON.stringify({ 'openai/gpt-own': { input: 1, output: 10 } }),
      },
    });
  });
  afterAll(async () => {
    await roost.stop();
    await provider.stop();
    receiver.close();
  });

  const agent = async (body: object = {}) =>
    (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a', ...body })).body.id;
  const send = async (agentId: string, content: string) =>
    (await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content })).body.id;
  const answer = async (agentId: string, id: string, wait = 30) =>
    (await roost.api<Answer>('GET', `/v1/agent/${agentId}/messages/${id}?wait=${wait}`)).body;
  const report = async (query = '') => (await roost.api<Report>('GET', `/v1/usage${query}`)).body;
  /** What the provider has counted: every answer that it brought to its end. */
  const counted = () => {
    const steps = provider.seen.filter(({ refused }) => refused === undefined).length;
    return { input: steps * STEP.input, output: steps * STEP.output };
  };

  it('report every model step with its price, as JSON and CSV', async () => {
    const agentId = await agent();
    provider.script('once', { answer: { text: 'Hello.', usage: STEP } });
    await answer(agentId, await send(agentId, '@once'));
    const found = await report(`?group_by=model&agent_id=${agentId}`);
    expect(found.rows).toMatchObject([{ model: 'openai/gpt-own', input_tokens: 90, output_tokens: 10 }]);
    // 90 tokens at 1 and 10 at 10 dollars per million.
    expect(found.total).toMatchObject({ steps: 1, cost_usd: '0.00019' });
    const csv = await roost.api<string>('GET', '/v1/usage?group_by=agent', undefined, { accept: 'text/csv' });
    expect(csv.headers.get('content-type')).toContain('text/csv');
    expect(csv.body.split('\r\n')[0]).toContain('agent_id,model,day,source,steps,input_tokens');
    expect(csv.body).toContain(agentId);
  });

  it(
    'stop 20 turns of an account within a step of each, let their messages wait, and go on',
    { timeout: 120_000 },
    async () => {
      const before = await report();
      const used = before.total.input_tokens + before.total.output_tokens;
      const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
      await roost.api('POST', '/v1/webhooks/endpoints', {
        url,
        events: ['budget.threshold', 'budget.exhausted', 'budget.reset'],
      });
      const { body: budget } = await roost.api<Budget>('POST', '/v1/budgets', {
        limit_tokens: used + LIMIT,
        period: 'month',
      });
      expect(budget).toMatchObject({ used_tokens: used, is_exhausted: false });
      const agents = await Promise.all(Array.from({ length: TURNS }, () => agent()));
      // Each turn asks for its budget nine times and then ends: 20 of them come to twice the limit.
      const call = { answer: { calls: [{ name: 'check_budget', args: {} }], usage: STEP } };
      const sent = await Promise.all(
        agents.map((agentId, n) => {
          provider.script(`turn${n}`, ...Array.from({ length: 9 }, () => call), {
            answer: { text: 'Done.', usage: STEP },
          });
          return send(agentId, `@turn${n}`);
        }),
      );
      await until('the budget is exhausted and nothing runs', async () => {
        const { body } = await roost.api<Budget>('GET', `/v1/budgets/${budget.id}`);
        const states = await Promise.all(agents.map((agentId, n) => answer(agentId, sent[n] ?? '', 0)));
        return body.is_exhausted && states.every(({ message }) => message.waiting_for?.reason === 'budget');
      });
      const { body: reached } = await roost.api<Budget>('GET', `/v1/budgets/${budget.id}`);
      const overshoot = (reached.used_tokens ?? 0) - (reached.limit_tokens ?? 0);
      expect(overshoot).toBeGreaterThanOrEqual(0);
      expect(overshoot).toBeLessThanOrEqual(TURNS * (STEP.input + STEP.output));
      expect((await answer(agents[0] ?? '', sent[0] ?? '', 0)).message.waiting_for?.next_attempt_at).not.toBeNull();
      const runs = await roost.api<{ runs: { status: string; error: { code: string } }[] }>(
        'GET',
        `/v1/agent/${agents[0]}/runs`,
      );
      expect(runs.body.runs).toMatchObject([{ status: 'waiting', error: { code: 'BUDGET_EXHAUSTED' } }]);

      await roost.api('PATCH', `/v1/budgets/${budget.id}`, { limit_tokens: used + 10 * LIMIT });
      const answers = await Promise.all(agents.map((agentId, n) => answer(agentId, sent[n] ?? '')));
      expect(answers.map(({ replies }) => replies[0]?.content)).toEqual(agents.map(() => 'Done.'));
      // Nothing was done twice, and nothing is missing: to the token.
      const { total } = await report();
      expect({ input: total.input_tokens, output: total.output_tokens }).toEqual(counted());
      expect(total.steps).toBe(before.total.steps + TURNS * 10);
      await until('the webhooks have come', () => webhooks.length >= 3);
      // In no order: the first two are of the same moment.
      expect(webhooks.map(({ type }) => type).sort()).toEqual(['budget.exhausted', 'budget.reset', 'budget.threshold']);
      expect(provider.of('turn0').at(-1)?.toolResults.at(-1)?.text).toContain('tokens used');
      await roost.api('DELETE', `/v1/budgets/${budget.id}`);
    },
  );

  it('run no model whose price is not known under a budget in money', async () => {
    const agentId = await agent({ configuration: { model: 'openai/unpriced' } });
    const { body: budget } = await roost.api<Budget>('POST', '/v1/budgets', { agent_id: agentId, limit_usd: '5' });
    provider.script('unpriced', { answer: { text: 'No.', usage: STEP } });
    const { message } = await answer(agentId, await send(agentId, '@unpriced'));
    expect(message.error?.code).toBe('MODEL_PRICE_UNKNOWN');
    expect(provider.of('unpriced')).toHaveLength(0);
    await roost.api('DELETE', `/v1/budgets/${budget.id}`);
    const { replies } = await answer(agentId, await send(agentId, '@unpriced'));
    expect(replies[0]?.content).toBe('No.');
    expect((await report(`?group_by=model&agent_id=${agentId}`)).total.cost_usd).toBeNull();
  });
});
