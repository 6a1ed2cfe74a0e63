import { ownCall } from '#lib/call-context';
import { getRunSteps, type RunStep, sumRuns } from '#lib/contracts';
import { requestOverNats } from '#lib/rpc';
import { MisbehavingProvider, until } from '#lib/testing';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';
import { STEPS, SUMS_OF_RUNS } from './attempts.repository.js';

const KEY = 'sk-own-0123456789';
const PASSWORD = 'hunter2 "quoted" horse';

describe('the steps of a run', () => {
  let provider: MisbehavingProvider;
  let runtime: RuntimeFixture;

  beforeAll(async () => {
    provider = await MisbehavingProvider.start();
    runtime = await startRuntime({
      ...provider.env('openai-chat', KEY),
      ROOST_DEFAULT_MODEL: 'openai/gpt-misbehaving',
      ROOST_MODEL_RETRY_MS: '1',
      ROOST_MODEL_PRICES: JSON.stringify({ 'openai/gpt-misbehaving': { input: 2, output: 8.5 } }),
    });
    runtime.workspace.start();
    runtime.platform.triesAgain = true;
    runtime.platform.configure({ customEnv: { PASSWORD } });
  });
  afterAll(async () => {
    await runtime.stop();
    await provider.stop();
  });

  const account = () => ({ ...ownCall('runs'), accountId: runtime.platform.accountId });
  const stepsOf = async (runId: string) => {
    const run = { agentId: runtime.platform.agentId, runId };
    const found = await requestOverNats(runtime.connection, getRunSteps, run, account());
    return { ...found, steps: found.attempts.flatMap(({ steps }) => steps) };
  };
  const kinds = (steps: RunStep[]) => steps.map(({ kind }) => kind);

  it('are its calls of models and tools in order, with tokens, cost and times, and no secret', async () => {
    provider.script(
      'steps',
      {
        answer: {
          text: 'I look.',
          calls: [{ name: 'bash', args: { command: `echo ${PASSWORD} ${KEY}` } }],
          usage: { input: 1_000, output: 100 },
        },
      },
      { answer: { text: 'Done.', usage: { input: 2_000, output: 50 } } },
    );
    runtime.workspace.onCommand = () => ({ stdout: `${PASSWORD} ${'x'.repeat(9_000)} ${KEY}`, exitCode: 3 });
    const { turnId, outcome } = runtime.platform.send('@steps');
    await outcome;
    const { steps, usage, sessionId } = await stepsOf(turnId);
    expect(kinds(steps)).toEqual(['model', 'tool', 'model']);
    expect(steps.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(steps[0]).toMatchObject({
      model: {
        model: 'openai/gpt-misbehaving',
        finishReason: 'tool-calls',
        inputTokens: 1_000,
        outputTokens: 100,
        // 1,000 tokens at 2 and 100 at 8.5 dollars per million.
        costUsd: 2_850_000n,
      },
      tool: null,
      reason: null,
    });
    expect(steps[0]?.durationMs).toBeGreaterThanOrEqual(steps[0]?.model?.timeToFirstTokenMs ?? Infinity);
    expect(steps[1]).toMatchObject({
      tool: { name: 'bash', exitCode: 3, isError: false, isTruncated: true, approval: null },
    });
    const shown = `${steps[1]?.tool?.arguments} ${steps[1]?.tool?.result}`;
    expect(shown).toContain('echo ***');
    expect(steps[1]?.tool?.result).toContain('[… cut …]');
    expect(steps[1]?.tool?.result?.length).toBeLessThanOrEqual(4_000);
    for (const secret of [PASSWORD, JSON.stringify(PASSWORD).slice(1, -1), KEY]) expect(shown).not.toContain(secret);
    expect(usage).toMatchObject({ inputTokens: 3_000, outputTokens: 150, costUsd: 7_275_000n });
    expect(sessionId).not.toBeNull();
    const sums = await requestOverNats(
      runtime.connection,
      sumRuns,
      { agentId: runtime.platform.agentId, runIds: [turnId, randomUUID()] },
      account(),
    );
    expect(sums.usage).toEqual({ [turnId]: usage });
    const stranger = { ...ownCall('runs'), accountId: randomUUID() };
    const run = { agentId: runtime.platform.agentId, runId: turnId };
    await expect(requestOverNats(runtime.connection, getRunSteps, run, stranger)).resolves.toMatchObject({
      attempts: [],
    });
  });

  it('are read by their run, however many there are', async () => {
    const { accountId, agentId } = runtime.platform;
    const sql = new pg.Client({ connectionString: runtime.database.url, options: '-c search_path=runtime' });
    await sql.connect();
    try {
      const { rows: made } = await sql.query<{ run_id: string }>(
        `INSERT INTO attempts (run_id, turn_id, fencing_token, account_id, agent_id, steps, input_tokens, output_tokens,
           cached_input_tokens, reasoning_tokens, cost_nano_usd)
         SELECT gen_random_uuid(), gen_random_uuid(), n, $1, $2, '[]', 1, 1, 0, 0, 1 FROM generate_series(1, 20000) n
         RETURNING run_id`,
        [accountId, agentId],
      );
      await sql.query('ANALYZE attempts');
      const runIds = made.slice(0, 50).map(({ run_id }) => run_id);
      for (const [query, of] of [
        [STEPS, runIds[0]],
        [SUMS_OF_RUNS, runIds],
      ] as const) {
        const { rows } = await sql.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, TIMING OFF) ${query}`, [
          of,
          agentId,
          accountId,
        ]);
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        expect(plan).toContain('attempts_pkey');
        expect(plan).not.toContain('Seq Scan');
      }
    } finally {
      await sql.query('DELETE FROM attempts WHERE steps = $1', ['[]']);
      await sql.end();
    }
  });

  it('show a call that failed and was made again', async () => {
    provider.script(
      'again',
      { misbehaviour: { kind: 'status', status: 503, message: `overloaded, key ${KEY}`, retryAfter: 0 } },
      { answer: { text: 'At last.' } },
    );
    const { turnId, outcome } = runtime.platform.send('@again');
    await outcome;
    const { steps } = await stepsOf(turnId);
    expect(kinds(steps)).toEqual(['model', 'retry', 'model']);
    expect(steps[0]).toMatchObject({ model: { finishReason: null, inputTokens: null, costUsd: null } });
    expect(steps[1]?.reason?.code).toBe('MODEL_OVERLOADED');
    expect(JSON.stringify(steps.map(({ reason }) => reason))).not.toContain(KEY);
    expect(steps[2]).toMatchObject({ model: { finishReason: 'stop' }, reason: null });
  });

  it('of all attempts are there, also of those that failed', async () => {
    const usage = { input: 10, output: 5 };
    const overloaded = { misbehaviour: { kind: 'status', status: 503, retryAfter: 0 } } as const;
    provider.script(
      'attempts',
      { answer: { calls: [{ name: 'bash', args: { command: 'once' } }], usage } },
      overloaded,
      overloaded,
      { answer: { text: 'Done.', usage } },
    );
    runtime.workspace.onCommand = () => ({ stdout: 'ok', exitCode: 0 });
    const { turnId, outcome } = runtime.platform.send('@attempts', { conversationId: 'attempts' });
    await expect(outcome).resolves.toMatchObject({ end: 'completed' });
    const { attempts, usage: used } = await stepsOf(turnId);
    expect(attempts.map(({ steps }) => kinds(steps))).toEqual([
      ['model', 'tool', 'model', 'retry', 'model'],
      ['model'],
    ]);
    expect(used).toMatchObject({ inputTokens: 20, outputTokens: 10 });
  });

  it('show what was under way when a run was interrupted', async () => {
    provider.script('stop', { answer: { calls: [{ name: 'bash', args: { command: 'sleep' } }] } });
    runtime.workspace.onCommand = async (_, cancelled) => (await cancelled, { cancelled: true });
    const { turnId, outcome } = runtime.platform.send('@stop');
    await until('the command runs', () => runtime.workspace.commands.includes('sleep'));
    runtime.platform.interrupt(turnId);
    await expect(outcome).resolves.toMatchObject({ end: 'interrupted' });
    const { steps, usage } = await stepsOf(turnId);
    expect(kinds(steps)).toEqual(['model', 'tool', 'interruption']);
    expect(steps[1]).toMatchObject({ tool: { isError: true, exitCode: null }, reason: { code: 'INTERRUPTED' } });
    // The model had answered, and its provider had counted.
    expect(usage).toMatchObject({ inputTokens: 100, outputTokens: 10 });
  });

  it('are written while a run goes on', async () => {
    provider.script(
      'live',
      { answer: { calls: [{ name: 'bash', args: { command: 'wait' } }] } },
      { answer: { text: 'k' } },
    );
    let end = () => undefined as void;
    runtime.workspace.onCommand = () => new Promise((resolve) => (end = () => resolve({ stdout: 'now', exitCode: 0 })));
    const { turnId, outcome } = runtime.platform.send('@live');
    await until('the open call is written', async () => (await stepsOf(turnId)).steps.length === 2);
    expect((await stepsOf(turnId)).steps[1]).toMatchObject({
      durationMs: null,
      tool: { result: null, isError: false },
    });
    end();
    await outcome;
    expect(kinds((await stepsOf(turnId)).steps)).toEqual(['model', 'tool', 'model']);
  });
});
