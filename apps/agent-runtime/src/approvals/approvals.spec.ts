import { LLMock } from '@copilotkit/aimock';
import type { RunningService } from '#lib/bus';
import { callHash } from '#lib/canonical-json';
import { until } from '#lib/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApprovalsDouble } from '../../test/approvals-double.js';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

describe('a call that a person is asked about', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;
  let approvals: ApprovalsDouble;
  let sql: pg.Client;
  let second: RunningService | undefined;
  /** What the model was shown, call by call. */
  const prompts: string[] = [];

  beforeAll(async () => {
    await mock.start();
    const env = {
      OPENAI_BASE_URL: `${mock.url}/v1`,
      ROOST_DEFAULT_MODEL: 'openai/test',
      ROOST_SHUTDOWN_GRACE_SECONDS: '0',
    };
    runtime = await startRuntime(env);
    approvals = new ApprovalsDouble(runtime.connection, runtime.platform);
    runtime.workspace.start();
    runtime.platform.triesAgain = true;
    runtime.platform.configure({ permissions: { rules: [{ tool: 'bash', action: 'ask' }] } });
    sql = new pg.Client({ connectionString: runtime.database.url });
    await sql.connect();
  });
  afterEach(() => {
    mock.reset();
    prompts.length = 0;
    approvals.suspended.clear();
    runtime.workspace.commands.length = 0;
    runtime.workspace.onCommand = (command) => ({ stdout: `ran ${command}\n` });
  });
  afterAll(async () => {
    await sql.end();
    await second?.stop();
    await runtime.stop();
    await mock.stop();
  });

  const bash = (command: string) => ({ name: 'bash', arguments: JSON.stringify({ command }) });
  const callOnce = (marker: string, calls: { name: string; arguments: string }[], content?: string) =>
    mock.on({ userMessage: marker, hasToolResult: false }, { ...(content ? { content } : {}), toolCalls: calls });
  const answerWith = (content: string) =>
    mock.on({ predicate: (request) => (prompts.push(JSON.stringify(request.messages)), true) }, { content });
  const works = async () =>
    (await sql.query<{ work: string; is_suspended: boolean }>('SELECT * FROM runtime.unfinished_turns')).rows;
  const start = (marker: string) => runtime.platform.send(marker, { conversationId: marker });

  it('waits while the others of its step run, and runs after the decision on whichever worker there is', async () => {
    callOnce(
      'mixed',
      [{ name: 'write_file', arguments: '{"path":"a.txt","content":"done"}' }, bash('deploy')],
      'I begin.',
    );
    answerWith('I am done.');
    const { turnId, outcome } = start('mixed');
    const calls = await approvals.asked(turnId);
    expect(calls).toEqual([
      expect.objectContaining({
        tool: 'bash',
        arguments: '{"command":"deploy"}',
        hash: callHash('bash', { command: 'deploy' }),
        rule: 0,
      }),
    ]);
    expect(runtime.workspace.commands).toEqual([]);
    expect((await works()).map(({ is_suspended }) => is_suspended)).toEqual([true]);
    second = await runtime.worker();
    await runtime.service.stop();
    approvals.decide(turnId, [{ status: 'allowed' }], ['and hurry']);
    await expect(outcome).resolves.toMatchObject({ end: 'completed', replies: ['I begin.\n\nI am done.'] });
    expect(runtime.workspace.commands).toEqual(['deploy']);
    const prompt = prompts.at(-1) ?? '';
    expect(prompt).toContain('Wrote 4 bytes');
    expect(prompt.indexOf('and hurry')).toBeGreaterThan(prompt.indexOf('ran deploy'));
    await expect.poll(works).toEqual([]);
  });

  it('is not run when it is denied or nobody decides, and the model reads why', async () => {
    callOnce('refused', [bash('one'), bash('two')]);
    answerWith('I see.');
    const { turnId, outcome } = start('refused');
    await approvals.asked(turnId);
    approvals.decide(turnId, [{ status: 'denied', message: 'not on a Friday' }, { status: 'expired' }]);
    await outcome;
    expect(runtime.workspace.commands).toEqual([]);
    expect(prompts.at(-1)).toContain('a person denied it, and says: not on a Friday');
    expect(prompts.at(-1)).toContain('nobody allowed it in time');
  });

  it('runs with the arguments that a person put in, and the model reads so', async () => {
    callOnce('edited', [bash('rm -rf /')]);
    answerWith('Good.');
    const { turnId, outcome } = start('edited');
    await approvals.asked(turnId);
    const [editedArguments, hash] = ['{"command":"ls"}', callHash('bash', { command: 'ls' })];
    approvals.decide(turnId, [{ editedArguments, hash, message: 'only look' }]);
    await outcome;
    expect(runtime.workspace.commands).toEqual(['ls']);
    for (const text of ['a person changed the arguments to', 'only look', 'ran ls'])
      expect(prompts.at(-1)).toContain(text);
  });

  it('is not run as anything but what was shown', async () => {
    callOnce('other', [bash('harmless')]);
    answerWith('Hm.');
    const { turnId, outcome } = start('other');
    await approvals.asked(turnId);
    approvals.decide(turnId, [{ hash: callHash('bash', { command: 'something else' }) }]);
    await outcome;
    expect(runtime.workspace.commands).toEqual([]);
    expect(prompts.at(-1)).toContain('it was not run');
  });

  it('is never run by a second attempt, and what an earlier one did is not done again', async () => {
    callOnce('killed', [bash('quick'), bash('slow')]);
    answerWith('I looked.');
    const { turnId, outcome } = start('killed');
    const calls = await approvals.asked(turnId);
    // As if a worker had begun the second one and was killed.
    approvals.startedBy.set(calls[1]?.approvalId ?? '', -1);
    approvals.decide(turnId, []);
    await outcome;
    expect(runtime.workspace.commands).toEqual(['quick']);
    expect(prompts.at(-1)).toContain('ran quick');
    expect(prompts.at(-1)).toContain('It is not known whether it ran');
  });

  it('is asked again as the same by an attempt that finds no answer', async () => {
    callOnce('unasked', [bash('again')]);
    answerWith('Fine.');
    const { turnId, outcome } = start('unasked');
    const [first] = await approvals.asked(turnId);
    runtime.platform.giveAgain(turnId, 1, [], { approvals: [] });
    const [nextId, [again]] = await until('it is asked again', () =>
      [...approvals.suspended].find(([id]) => id !== turnId),
    );
    expect(again).toEqual(first);
    approvals.decide(nextId, []);
    await outcome;
    expect(runtime.workspace.commands).toEqual(['again']);
  });

  it('is refused to the model when it is too long for a person, or one of too many', async () => {
    callOnce('long', [bash('x'.repeat(90_000)), ...Array.from({ length: 21 }, (_, n) => bash(`n${n}`))]);
    answerWith('Shorter, then.');
    const { turnId, outcome } = start('long');
    expect(await approvals.asked(turnId)).toHaveLength(20);
    approvals.decide(turnId, []);
    await outcome;
    expect(runtime.workspace.commands).toHaveLength(20);
    expect(prompts.at(-1)).toContain('about 20 calls at once at most');
  });

  it.each(['persistent', 'ephemeral'] as const)(
    'stays in a %s session as far as its turn had come when a newer message takes its place',
    async (sessionMode) => {
      runtime.platform.agent = { ...runtime.platform.agent, sessionMode };
      const marker = `left-${sessionMode}`;
      callOnce(marker, [{ name: 'write_file', arguments: '{"path":"b.txt","content":"done"}' }, bash('deploy')], 'So.');
      answerWith('Instead.');
      await approvals.asked(start(marker).turnId);
      // Messaging ends the suspended run; its messages come in no other batch.
      await runtime.platform.send('never mind', { conversationId: marker }).outcome;
      const prompt = prompts.at(-1) ?? '';
      expect([prompt.includes('Wrote 4 bytes'), prompt.includes('[This turn was interrupted.]')]).toEqual(
        sessionMode === 'persistent' ? [true, true] : [false, false],
      );
      expect(prompt.includes('interrupted while a person was asked')).toBe(sessionMode === 'persistent');
      if (sessionMode === 'persistent')
        expect(prompt.indexOf('[This turn was interrupted.]')).toBeLessThan(prompt.indexOf('never mind'));
      expect(runtime.workspace.commands).toEqual([]);
      expect(await works()).toEqual([]);
    },
  );

  it('may be asked once more in the same run', async () => {
    callOnce('twice', [bash('first')]);
    mock.on({ userMessage: 'twice', hasToolResult: true, sequenceIndex: 0 }, { toolCalls: [bash('second')] });
    answerWith('Both.');
    const { turnId, outcome } = start('twice');
    await approvals.asked(turnId);
    approvals.decide(turnId, []);
    const [nextId, calls] = await until('the second is asked', () =>
      [...approvals.suspended].find(([id]) => id !== turnId),
    );
    expect(calls).toMatchObject([{ arguments: '{"command":"second"}' }]);
    approvals.decide(nextId, [{ status: 'denied' }]);
    await outcome;
    expect(runtime.workspace.commands).toEqual(['first']);
  });
});
