import { LLMock } from '@copilotkit/aimock';
import type { RunningService } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { until } from '#lib/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

const INTERRUPTED = '[interrupted: the worker that waited for this went away';

/** A turn whose worker goes away is gone on with by another, from where it was. */
describe('the hand-over of a turn', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;
  let sql: pg.Client;
  let second: RunningService | undefined;
  /** What the model was shown, call by call. */
  const prompts: string[] = [];

  beforeAll(async () => {
    await mock.start();
    runtime = await startRuntime({
      OPENAI_BASE_URL: `${mock.url}/v1`,
      ROOST_DEFAULT_MODEL: 'openai/test',
      ROOST_SHUTDOWN_GRACE_SECONDS: '0',
    });
    runtime.workspace.start();
    runtime.platform.triesAgain = true;
    sql = new pg.Client({ connectionString: runtime.database.url });
    await sql.connect();
  });
  afterEach(() => {
    mock.reset();
    runtime.workspace.onCommand = (command) => ({ stdout: `ran ${command}\n` });
  });
  afterAll(async () => {
    await sql.end();
    await second?.stop();
    await runtime.stop();
    await mock.stop();
  });

  const callOnce = (marker: string, calls: { name: string; arguments: string }[], content?: string) =>
    mock.on({ userMessage: marker, hasToolResult: false }, { ...(content ? { content } : {}), toolCalls: calls });
  const answerWith = (content: string) =>
    mock.on({ predicate: (request) => (prompts.push(JSON.stringify(request.messages)), true) }, { content });
  const written = (text: string) =>
    until('the work was written down', async () => {
      const { rows } = await sql.query<{ work: string }>('SELECT work FROM runtime.unfinished_turns');
      return rows.some(({ work }) => work.includes(text));
    });
  /** Soon: the work is forgotten once messaging knows the end. */
  const nothingIsLeft = () =>
    expect.poll(async () => (await sql.query('SELECT 1 FROM runtime.unfinished_turns')).rows).toEqual([]);

  it('repeats no tool call after the provider failed in a later step', async () => {
    callOnce('busy later', [{ name: 'bash', arguments: '{"command":"once"}' }], 'I begin.');
    let failures = 0;
    mock.on({ userMessage: 'busy later', hasToolResult: true, predicate: () => failures++ < 3 }, {
      error: { message: 'overloaded' },
      status: 503,
      retryAfter: 0,
    } as never);
    answerWith('I am done.');
    const { replies } = await runtime.platform.send('busy later', { conversationId: 'busy' }).outcome;
    expect(replies).toEqual(['I begin.\n\nI am done.']);
    expect(runtime.workspace.commands.filter((command) => command === 'once')).toHaveLength(1);
    await nothingIsLeft();
  });

  it.each(['ephemeral', 'persistent'] as const)(
    'repeats no tool call after a worker was lost between its answer and its report, in a session that is %s',
    async (sessionMode) => {
      const { platform } = runtime;
      platform.agent = { ...platform.agent, sessionMode };
      callOnce('lost report', [{ name: 'bash', arguments: '{"command":"echo reported"}' }], 'I begin.');
      answerWith('I am done.');
      runtime.workspace.commands.length = 0;
      platform.onComplete = (turnId) => {
        platform.onComplete = () => undefined;
        platform.giveAgain(turnId);
        throw new RoostError('CONFLICT', 'the turn is another worker’s');
      };
      const { replies } = await platform.send('lost report', { conversationId: `report-${sessionMode}` }).outcome;
      expect(replies).toEqual(['I begin.\n\nI am done.']);
      expect(runtime.workspace.commands.filter((command) => command === 'echo reported')).toHaveLength(1);
      await nothingIsLeft();
      const { rows } = await sql.query<{ turns: string }>(
        `SELECT count(DISTINCT t.turn_id) AS turns FROM runtime.transcript t JOIN runtime.sessions s ON s.id = t.session_id
         WHERE s.conversation_id = $1`,
        [`report-${sessionMode}`],
      );
      expect(rows).toEqual([{ turns: '1' }]);
    },
  );

  it('of a worker that shuts down ends its command and reports it as interrupted', async () => {
    callOnce('long work', [
      { name: 'write_file', arguments: '{"path":"first.txt","content":"done"}' },
      { name: 'bash', arguments: '{"command":"sleep 1000"}' },
    ]);
    answerWith('I looked and went on.');
    runtime.workspace.onCommand = async (_, cancelled) => (await cancelled, { cancelled: true });
    const { outcome } = runtime.platform.send('long work', { conversationId: 'shutdown' });
    await until('the command runs', () => runtime.workspace.commands.includes('sleep 1000'));
    await written('sleep 1000');
    second = await runtime.worker();
    await runtime.service.stop();
    const { end, replies } = await outcome;
    expect({ end, replies }).toEqual({ end: 'completed', replies: ['I looked and went on.'] });
    expect(new Set(runtime.workspace.cancelled).size).toBe(1);
    // The finished call with its result, the other as interrupted: nothing is run twice.
    expect(prompts.at(-1)).toContain('Wrote 4 bytes');
    expect(prompts.at(-1)).toContain(INTERRUPTED);
    expect(runtime.workspace.commands.filter((command) => command === 'sleep 1000')).toHaveLength(1);
    await nothingIsLeft();
  });

  it('of an agent that is stopped in the middle ends its command at once, and goes on when the agent is active again', async () => {
    callOnce('stopped work', [
      { name: 'write_file', arguments: '{"path":"kept.txt","content":"done"}' },
      { name: 'bash', arguments: '{"command":"sleep 1500"}' },
    ]);
    answerWith('I went on after the stop.');
    runtime.workspace.onCommand = async (_, cancelled) => (await cancelled, { cancelled: true });
    const { turnId, outcome } = runtime.platform.send('stopped work', { conversationId: 'stop' });
    await until('the command runs', () => runtime.workspace.commands.includes('sleep 1500'));
    await written('sleep 1500');
    runtime.platform.stopAgent(turnId);
    const { end, replies } = await outcome;
    expect({ end, replies }).toEqual({ end: 'completed', replies: ['I went on after the stop.'] });
    expect(runtime.workspace.commands.filter((command) => command === 'sleep 1500')).toHaveLength(1);
    await nothingIsLeft();
  });

  it('of a worker that fell silent ends what it left running, and learns of messages that came since', async () => {
    callOnce('lost work', [{ name: 'bash', arguments: '{"command":"sleep 2000"}' }]);
    answerWith('I took over.');
    runtime.workspace.onCommand = async (_, cancelled) => (await cancelled, { cancelled: true });
    const { turnId, outcome } = runtime.platform.send('lost work', { conversationId: 'lost' });
    await written('sleep 2000');
    runtime.workspace.cancelled.length = 0;
    // The lease ends at messaging; the silent worker does not know yet.
    runtime.platform.giveAgain(turnId, 1, ['and this came meanwhile']);
    const { replies } = await outcome;
    expect(replies).toEqual(['I took over.']);
    const resumed = prompts.find((prompt) => prompt.includes('and this came meanwhile')) ?? '';
    expect(resumed).toContain(INTERRUPTED);
    expect(resumed.indexOf('and this came meanwhile')).toBeGreaterThan(resumed.indexOf(INTERRUPTED));
    await until('the lost command was ended', () => runtime.workspace.cancelled.some((id) => id.startsWith(turnId)));
  });
});
