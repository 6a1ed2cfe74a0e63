import { LLMock } from '@copilotkit/aimock';
import type { DecidedCall, Permissions } from '#lib/contracts';
import { until } from '#lib/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApprovalsDouble } from '../../test/approvals-double.js';
import { askingServer } from '../../test/asking-server.js';
import type { SendOptions } from '../../test/messaging-double.js';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

describe('a question to a person', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;
  let approvals: ApprovalsDouble;
  let server: Awaited<ReturnType<typeof askingServer>>;
  /** What the model was shown at last. */
  let prompt = '';

  beforeAll(async () => {
    await mock.start();
    server = await askingServer();
    runtime = await startRuntime({ OPENAI_BASE_URL: `${mock.url}/v1`, ROOST_DEFAULT_MODEL: 'openai/test' });
    approvals = new ApprovalsDouble(runtime.connection, runtime.platform);
    runtime.workspace.start();
    runtime.platform.triesAgain = true;
    configure();
  });
  afterEach(() => {
    mock.reset();
    approvals.suspended.clear();
    server.began.length = 0;
    server.done.length = 0;
    configure();
  });
  afterAll(async () => {
    await runtime.stop();
    await server.close();
    await mock.stop();
  });

  const configure = (permissions: Permissions = {}) =>
    runtime.platform.configure({ permissions, mcpServers: { asking: { url: server.url } } });
  const call = (name: string, args: object) => ({ name, arguments: JSON.stringify(args) });
  /** A turn in which the model makes the calls, and then says that it is done. */
  function start(calls: { name: string; arguments: string }[], options: SendOptions = {}) {
    mock.reset();
    const marker = `go ${Math.random()}`;
    mock.on({ userMessage: marker, hasToolResult: false }, { toolCalls: calls });
    mock.on({ predicate: ({ messages }) => ((prompt = JSON.stringify(messages)), true) }, { content: 'done' });
    return runtime.platform.send(marker, { conversationId: marker, ...options });
  }
  const answered = (answer: unknown): Partial<DecidedCall> => ({ status: 'answered', answer: JSON.stringify(answer) });
  /** Answers what each attempt of the run asks, until it asks no more; gives what was asked. */
  async function answerEach(turnId: string, answers: Partial<DecidedCall>[]) {
    const asked: { kind?: unknown; tool?: unknown; question?: string }[] = [];
    let suspended = turnId;
    for (const answer of answers) {
      const [call] = await approvals.asked(suspended);
      asked.push({ kind: call?.kind, tool: call?.tool, ...(JSON.parse(call?.arguments ?? '{}') as object) });
      const before = suspended;
      approvals.decide(suspended, [answer]);
      if (asked.length === answers.length) break;
      suspended = await until('it asks again', () => [...approvals.suspended.keys()].find((id) => id !== before));
    }
    return asked;
  }

  it('suspends the turn, and its answer is what the model reads', async () => {
    const { turnId, outcome } = start([call('ask_human', { question: 'Which one?', choices: ['red', 'blue'] })]);
    const [asked] = await approvals.asked(turnId);
    expect(asked).toMatchObject({ kind: 'question', tool: 'ask_human', rule: null });
    expect(asked?.arguments).toBe('{"choices":["red","blue"],"question":"Which one?"}');
    approvals.decide(turnId, [answered('blue')]);
    await expect(outcome).resolves.toMatchObject({ end: 'completed', replies: ['done'] });
    expect(prompt).toContain('blue');
  });

  it('says to the model that it was refused or not answered in time, and why', async () => {
    const ask = call('ask_human', { question: 'May I?' });
    const { turnId, outcome } = start([ask, ask]);
    await approvals.asked(turnId);
    approvals.decide(turnId, [{ status: 'denied', message: 'ask Bob' }, { status: 'expired' }]);
    await outcome;
    expect(prompt).toContain('a person does not want to answer this, and says: ask Bob');
    expect(prompt).toContain('nobody answered in time');
  });

  it('is not asked where it is none, where nobody is there, and where a rule denies it', async () => {
    const wrong = { question: 'Where?', schema: { type: 'object', properties: { at: { type: 'object' } } } };
    await start([call('ask_human', wrong)]).outcome;
    expect(prompt).toContain('the question cannot be asked');
    configure({ unattended: 'deny' });
    await start([call('ask_human', { question: 'Now?' })], { channel: 'schedule' }).outcome;
    expect(prompt).toContain('nobody is there in this turn');
    configure({ rules: [{ tool: 'ask_human', action: 'deny' }] });
    await start([call('ask_human', { question: 'Now?' })]).outcome;
    expect(prompt).toContain('not allowed by your permissions');
    expect(approvals.suspended.size).toBe(0);
  });

  describe('of an MCP server', () => {
    it('ends its call, and is answered at once when the call is repeated with the answer', async () => {
      const { turnId, outcome } = start([call('asking__book', { to: 'Rome' })]);
      const asked = await answerEach(turnId, [answered({ seats: 2 })]);
      expect(asked).toMatchObject([
        { kind: 'question', tool: 'mcp:asking/book', question: 'How many seats to Rome?', schema: { type: 'object' } },
      ]);
      await outcome;
      expect(server.began).toEqual(['Rome', 'Rome']);
      expect(server.done).toEqual(['Rome 2']);
      expect(prompt).toContain('accept');
    });

    it('may be followed by another one of the same call', async () => {
      const { turnId, outcome } = start([call('asking__book_twice', { to: 'Oslo' })]);
      const asked = await answerEach(turnId, [answered({ seats: 1 }), answered({ seats: 3, window: true })]);
      expect(asked.map(({ question }) => question)).toEqual(['Seats there?', 'Seats back?']);
      await outcome;
      expect(server.done).toEqual(['Oslo']);
      expect(prompt).toMatch(/seats.{3,8}1.*seats.{3,8}3/);
    });

    it.each(['open', 'pay'])('may be a page that the person opens (%s)', async (tool) => {
      const { turnId, outcome } = start([call(`asking__${tool}`, { to: 'me' })]);
      const asked = await answerEach(turnId, [answered(true)]);
      expect(asked).toMatchObject([{ question: 'Pay first.', url: 'https://bank.example/me' }]);
      await outcome;
      expect(server.began).toHaveLength(2);
      expect(prompt).toContain(tool === 'pay' ? 'paid' : 'accept');
    });

    it('belongs to its own call, also beside others', async () => {
      const { turnId, outcome } = start([call('asking__book', { to: 'A' }), call('asking__book', { to: 'B' })]);
      const calls = await approvals.asked(turnId);
      const questions = calls.map(({ arguments: text }) => (JSON.parse(text) as { question: string }).question);
      expect(questions).toEqual(['How many seats to A?', 'How many seats to B?']);
      approvals.decide(turnId, [answered({ seats: 1 }), answered({ seats: 2 })]);
      await outcome;
      expect(server.done.sort()).toEqual(['A 1', 'B 2']);
    });

    it('is asked after the call itself was allowed, with the arguments that were allowed', async () => {
      configure({ rules: [{ tool: 'mcp:asking/*', action: 'ask' }] });
      const { turnId, outcome } = start([call('asking__book', { to: 'Bonn' })]);
      await answerEach(turnId, [{ status: 'allowed' }, answered({ seats: 4 })]);
      await outcome;
      expect(server.done).toEqual(['Bonn 4']);
    });

    it('that is not answered leaves the call undone', async () => {
      const { turnId, outcome } = start([call('asking__book', { to: 'Nice' })]);
      await answerEach(turnId, [{ status: 'denied' }]);
      await outcome;
      expect(server.done).toEqual([]);
      expect(prompt).toContain('does not want to answer');
    });

    it('is not answered twice: an attempt that was killed in the repeated call leaves it unknown', async () => {
      const { turnId, outcome } = start([call('asking__book', { to: 'Lima' })]);
      const [asked] = await approvals.asked(turnId);
      approvals.startedBy.set(asked?.approvalId ?? '', -1);
      approvals.decide(turnId, [answered({ seats: 1 })]);
      await outcome;
      expect(server.began).toEqual(['Lima']);
      expect(prompt).toContain('It is not known whether it ran');
    });
  });
});
