import { followEvents, type FollowedEvent, startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Approval {
  id: string;
  status: string;
  tool: string;
  arguments: string;
  run_id: string;
  decided_by: { type: string; id: string } | null;
}
interface Answer {
  message: { waiting_for: { reason: string } | null; error: { code: string } | null };
  replies: { content: string }[];
}

/** Permissions, messaging, the runtime with a real sandbox, events and the API together. */
describe('approvals', () => {
  let roost: TestRoost;
  beforeAll(async () => {
    roost = await startRoost();
  });
  afterAll(() => roost?.stop());

  const newAgent = async (permissions: object = { rules: [{ tool: 'bash', action: 'ask' }] }) => {
    const { body } = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'a',
      configuration: { model: 'demo', permissions },
    });
    return body.id;
  };
  const send = async (agentId: string, content: string, more: object = {}) =>
    (await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content, ...more })).body.id;
  const answer = async (agentId: string, id: string, wait = 30) =>
    (await roost.api<Answer>('GET', `/v1/agent/${agentId}/messages/${id}?wait=${wait}`)).body;
  const asked = (agentId: string) =>
    until('the agent asks', async () => {
      const path = `/v1/approvals?status=pending&agent_id=${agentId}`;
      return (await roost.api<{ approvals: Approval[] }>('GET', path)).body.approvals[0];
    });
  const decide = (id: string, body: object) => roost.api<Approval>('POST', `/v1/approvals/${id}/decide`, body);

  it('let a command run in the sandbox after a person has allowed it, once, and show it in the run', async () => {
    const agentId = await newAgent();
    const events: FollowedEvent[] = [];
    const stream = followEvents(
      `${roost.url}/v1/agent/${agentId}/events`,
      { authorization: `Bearer ${roost.apiKey}`, 'last-event-id': '0' },
      (event) => events.push(event),
    );
    const id = await send(agentId, 'run: echo once >> log; cat log');
    const approval = await asked(agentId);
    expect(approval).toMatchObject({ tool: 'bash', arguments: '{"command":"echo once >> log; cat log"}' });
    expect((await answer(agentId, id, 0)).message.waiting_for).toMatchObject({ reason: 'approval' });
    expect((await decide(approval.id, { decision: 'allow_once' })).body).toMatchObject({
      status: 'allowed',
      decided_by: { type: 'api_key' },
    });
    const again = await decide(approval.id, { decision: 'deny' });
    expect(again).toMatchObject({
      status: 409,
      body: { error: { details: [{ reason: 'already_decided', status: 'allowed' }] } },
    });
    const { replies } = await answer(agentId, id);
    expect(replies.map(({ content }) => content.match(/once/g))).toEqual([['once', 'once']]);
    const run = await roost.api<{
      steps: { kind: string; tool: { approval: object; result: string | null } | null }[];
    }>('GET', `/v1/agent/${agentId}/runs/${approval.run_id}`);
    const tools = run.body.steps.flatMap(({ tool }) => (tool ? [tool] : []));
    expect(tools.map(({ approval: of }) => of)).toEqual(
      tools.map(() => expect.objectContaining({ id: approval.id, status: 'allowed' }) as unknown),
    );
    expect(tools.at(-1)?.result).toContain('once');
    await until('the stream has shown it', () => events.some(({ type }) => type === 'message.completed'));
    await stream.stop();
    const types = events.map(({ type }) => type).filter((type) => /approval|turn.started|message.completed/.test(type));
    expect(types).toEqual([
      ...['turn.started', 'approval.requested', 'approval.decided', 'turn.started', 'message.completed'],
    ]);
  });

  it('put a rule into the agent’s permissions as a version when a call is always allowed', async () => {
    const agentId = await newAgent();
    const first = await send(agentId, 'run: echo always');
    const approval = await asked(agentId);
    await decide(approval.id, { decision: 'allow_always' });
    await answer(agentId, first);
    const version = await until('the rule is there', async () => {
      const path = `/v1/agent/${agentId}/versions`;
      const { body } = await roost.api<{ versions: { version: number; note: string; created_by: object }[] }>(
        'GET',
        path,
      );
      return body.versions.find((one) => one.note?.includes(approval.id));
    });
    expect(version).toMatchObject({ version: 2, created_by: { type: 'api_key' } });
    const agent = await roost.api<{ configuration: { permissions: { rules: object[] } } }>(
      'GET',
      `/v1/agent/${agentId}`,
    );
    expect(agent.body.configuration.permissions.rules).toEqual([
      { tool: 'bash', arguments: { command: 'echo always' }, exact: true, action: 'allow' },
      { tool: 'bash', action: 'ask' },
    ]);
    const { replies } = await answer(agentId, await send(agentId, 'run: echo always'));
    expect(replies[0]?.content).toContain('always');
  });

  it('cannot be always allowed where no more rules fit, which is said before anything runs', async () => {
    const rules = Array.from({ length: 99 }, (_, n) => ({
      tool: 'bash',
      arguments: { command: `no ${n}` },
      action: 'deny',
    }));
    const agentId = await newAgent({ rules: [...rules, { tool: 'bash', action: 'ask' }] });
    const id = await send(agentId, 'run: echo full');
    const approval = await asked(agentId);
    const refused = await decide(approval.id, { decision: 'allow_always' });
    expect(refused).toMatchObject({ status: 400, body: { error: { details: [{ field: 'decision' }] } } });
    expect((await decide(approval.id, { decision: 'allow_once' })).body).toMatchObject({ status: 'allowed' });
    expect((await answer(agentId, id)).replies[0]?.content).toContain('full');
  });

  it('ask a question that is answered by choice or form, and the agent goes on with the answer', async () => {
    const agentId = await newAgent({});
    const id = await send(agentId, 'ask: Which one? | red | blue');
    const approval = await asked(agentId);
    expect(approval).toMatchObject({
      kind: 'question',
      tool: 'ask_human',
      question: { question: 'Which one?', choices: ['red', 'blue'] },
    });
    const wrong = await roost.api('POST', `/v1/approvals/${approval.id}/answer`, { answer: 'green' });
    expect(wrong).toMatchObject({ status: 400, body: { error: { details: [{ field: 'answer' }] } } });
    const right = await roost.api('POST', `/v1/approvals/${approval.id}/answer`, { text: '2' });
    expect(right).toMatchObject({ status: 200, body: { status: 'answered', answer: 'blue' } });
    expect((await answer(agentId, id)).replies[0]?.content).toContain('You answered: blue');
  });

  it('hold the turn of a schedule back until somebody decides, while other conversations go on', async () => {
    const agentId = await newAgent({ rules: [{ tool: 'bash', action: 'ask' }], unattended: 'wait' });
    const made = await roost.api<{ id: string }>('POST', `/v1/agent/${agentId}/schedules`, {
      name: 'nightly',
      cron_expression: '0 3 * * *',
      message_template: 'run: echo {{schedule.name}} >> log; cat log',
    });
    const path = `/v1/agent/${agentId}/schedules/${made.body.id}`;
    const execution = async () => {
      const { body } = await roost.api<{ executions: { status: string; message_id: string }[] }>(
        'GET',
        `${path}/executions`,
      );
      return body.executions[0];
    };
    await roost.api('POST', `${path}/run`);
    const approval = await asked(agentId);
    expect(approval).toMatchObject({ source: 'schedule', arguments: '{"command":"echo nightly >> log; cat log"}' });
    expect((await answer(agentId, await send(agentId, 'hello'))).replies).toHaveLength(1);
    const waiting = await execution();
    expect(waiting?.status).not.toBe('completed');
    const id = waiting?.message_id ?? '';
    expect((await answer(agentId, id, 0)).message.waiting_for).toMatchObject({ reason: 'approval' });
    await decide(approval.id, { decision: 'allow_once' });
    expect((await answer(agentId, id)).replies.map(({ content }) => content.match(/nightly/g)?.length)).toEqual([2]);
    await until('its execution is completed', async () => (await execution())?.status === 'completed');
  });

  it('are cancelled by a reset of the session, and by a message that interrupts', async () => {
    const agentId = await newAgent();
    for (const end of ['reset', 'interrupt'] as const) {
      const id = await send(agentId, `run: echo ${end}`);
      const approval = await asked(agentId);
      if (end === 'reset') await roost.api('POST', `/v1/agent/${agentId}/sessions/reset`, {});
      else await answer(agentId, await send(agentId, 'hello', { queue_mode: 'interrupt' }));
      expect((await roost.api<Approval>('GET', `/v1/approvals/${approval.id}`)).body.status).toBe('cancelled');
      expect((await answer(agentId, id)).message.error?.code).toBe(end === 'reset' ? 'CANCELLED' : 'INTERRUPTED');
    }
  });
});
