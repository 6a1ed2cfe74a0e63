import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Step {
  attempt: number;
  kind: string;
  tool: { name: string; arguments: string; result: string; exit_code: number | null; approval: null } | null;
  model: { model: string; finish_reason: string; cost_usd: string | null } | null;
}
interface Run {
  id: string;
  status: string;
  source: string;
  attempt_count: number;
  message_ids: string[];
  usage: { output_tokens: number; cost_usd: string | null } | null;
}
interface Detail extends Run {
  session_id: string | null;
  configuration_version: number | null;
  attempts: { number: number; state: string }[];
  messages: { content: string }[];
  replies: { content: string }[];
  steps: Step[];
}

describe('what an agent did', () => {
  let roost: TestRoost;
  let agentId: string;

  beforeAll(async () => {
    roost = await startRoost();
    agentId = (await roost.api<{ id: string }>('POST', '/v1/agent/create', { name: 'a' })).body.id;
  });
  afterAll(async () => roost.stop());

  const say = async (content: string) => {
    const { body } = await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content });
    await roost.api('GET', `/v1/agent/${agentId}/messages/${body.id}?wait=30`);
    return body.id;
  };

  it('is read from the list of runs down to each step', async () => {
    const messageId = await say('run: echo $((6 * 7)); exit 3');
    const { status, body: list } = await roost.api<{ runs: Run[]; has_more: boolean }>(
      'GET',
      `/v1/agent/${agentId}/runs?status=completed&source=api`,
    );
    expect(status).toBe(200);
    expect(list).toMatchObject({
      has_more: false,
      runs: [{ status: 'completed', source: 'api', attempt_count: 1, message_ids: [messageId] }],
    });
    // The demo model costs nothing, which is not the same as an unknown price.
    expect(list.runs[0]?.usage).toMatchObject({ cost_usd: '0' });
    expect(list.runs[0]?.usage?.output_tokens).toBeGreaterThan(0);

    const { body: run } = await roost.api<Detail>('GET', `/v1/agent/${agentId}/runs/${list.runs[0]?.id}`);
    expect(run.messages.map(({ content }) => content)).toEqual(['run: echo $((6 * 7)); exit 3']);
    expect(run.replies[0]?.content).toContain('42');
    expect(run.attempts).toMatchObject([{ number: 1, state: 'completed' }]);
    expect(run.configuration_version).toBe(1);
    expect(run.session_id).not.toBeNull();
    expect(run.steps.map(({ kind }) => kind)).toEqual(['model', 'tool', 'model']);
    expect(run.steps[0]?.model).toMatchObject({ model: 'demo/demo', finish_reason: 'tool-calls', cost_usd: '0' });
    expect(run.steps[1]?.tool).toMatchObject({ name: 'bash', exit_code: 3, approval: null });
    expect(run.steps[1]?.tool?.result).toContain('42');
    expect(run.usage).toEqual(list.runs[0]?.usage);
  });

  it('is cancelled while it runs, once or twice, and not when it is over', async () => {
    const runs = `/v1/agent/${agentId}/runs`;
    const { body: sent } = await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, {
      content: 'run: sleep 300',
    });
    const id = await until('the command runs', async () => {
      const { body } = await roost.api<{ runs: Run[] }>('GET', `${runs}?status=running`);
      return body.runs.find(({ message_ids }) => message_ids.includes(sent.id))?.id;
    });
    const cancelled = await roost.api<Run>('POST', `${runs}/${id}/cancel`);
    expect([cancelled.status, cancelled.body.id]).toEqual([200, id]);
    await until('it is over', async () => (await roost.api<Run>('GET', `${runs}/${id}`)).body.status === 'cancelled');
    const again = await roost.api<Run>('POST', `${runs}/${id}/cancel`);
    expect([again.status, again.body.status]).toEqual([200, 'cancelled']);
    const { body: over } = await roost.api<{ runs: Run[] }>('GET', `${runs}?status=completed`);
    expect((await roost.api('POST', `${runs}/${over.runs[0]?.id}/cancel`)).status).toBe(409);
    expect((await roost.api('POST', `${runs}/${sent.id}/cancel`)).status).toBeGreaterThanOrEqual(400);
  });
});
