import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '#lib/testing';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

describe('a turn with the demo model', () => {
  let runtime: RuntimeFixture;
  beforeAll(async () => {
    runtime = await startRuntime();
    runtime.workspace.start();
  });
  afterAll(() => runtime.stop());

  it('writes a file, says so, and streams the same words that it stores', async () => {
    const { turnId, outcome } = runtime.platform.send('write hello to notes.txt');
    const { end, replies } = await outcome;
    expect(end).toBe('completed');
    expect(replies).toEqual(['I wrote 5 bytes to notes.txt.']);
    expect(runtime.workspace.files.get('notes.txt')?.toString()).toBe('hello');
    await until('the deltas have come', () => runtime.platform.liveText(turnId) === replies[0]);
    const events = runtime.platform.live.filter((event) => event.turnId === turnId);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
    expect(events.map((event) => event.type)).toEqual(
      expect.arrayContaining(['tool.call', 'tool.result', 'text.delta']),
    );
  });

  it('carries out a batch of requests in order', async () => {
    const { outcome } = runtime.platform.send(['write one to a.txt', 'read a.txt', 'run: uname -a']);
    const { replies } = await outcome;
    expect(replies[0]).toContain('I wrote 3 bytes to a.txt.');
    expect(replies[0]).toContain('```\none\n```');
    expect(replies[0]).toContain('ran uname -a');
  });

  it('reports a tool that fails to the model, and the turn goes on', async () => {
    const { outcome } = runtime.platform.send('read nowhere.txt');
    await expect(outcome).resolves.toMatchObject({
      end: 'completed',
      replies: [expect.stringContaining('there is no file nowhere.txt')],
    });
  });

  it('says that it is the demo model', async () => {
    const { replies, usage } = await runtime.platform.send('How are you?').outcome;
    expect(replies[0]).toContain('demo model');
    expect(usage?.outputTokens).toBeGreaterThan(10);
  });

  it('debits each model step once', async () => {
    const before = runtime.platform.debits.size;
    const { turnId, outcome } = runtime.platform.send('write x to y.txt');
    const { usage } = await outcome;
    const steps = [...runtime.platform.debits].filter(([stepId]) => stepId.startsWith(turnId));
    expect(runtime.platform.debits.size - before).toBe(2);
    expect(steps.reduce((sum, [, tokens]) => sum + tokens, 0)).toBe(usage?.outputTokens);
  });

  it('debits a step once though the answer to the debit was lost', async () => {
    runtime.platform.lostDebits = 2;
    const { turnId, outcome } = runtime.platform.send('write x to z.txt');
    const { end, usage } = await outcome;
    const steps = [...runtime.platform.debits].filter(([stepId]) => stepId.startsWith(turnId));
    expect({ end, lost: runtime.platform.lostDebits }).toEqual({ end: 'completed', lost: 0 });
    expect(steps).toHaveLength(2);
    expect(steps.reduce((sum, [, tokens]) => sum + tokens, 0)).toBe(usage?.outputTokens);
  });

  it('wakes a workspace that nobody answers for, and only then', async () => {
    const before = runtime.platform.ensured;
    runtime.workspace.stop();
    runtime.platform.onEnsure = () => runtime.workspace.start();
    await expect(runtime.platform.send('write x to woken.txt').outcome).resolves.toMatchObject({
      replies: ['I wrote 1 bytes to woken.txt.'],
    });
    await runtime.platform.send('read woken.txt').outcome;
    expect(runtime.platform.ensured - before).toBe(1);
  });

  it('stops at once when interrupted, kills the running command and reports the text so far', async () => {
    runtime.workspace.onCommand = async (_, cancelled) => {
      await cancelled;
      return { cancelled: true };
    };
    const { turnId, outcome } = runtime.platform.send('run: sleep 1000');
    await until('the command runs', () => runtime.workspace.commands.includes('sleep 1000'));
    runtime.platform.interrupt(turnId);
    await expect(outcome).resolves.toMatchObject({ end: 'interrupted' });
    await until('the command was cancelled', () => runtime.workspace.cancelled.length === 1);
  });

  it('fails a turn that takes longer than timeout_seconds', async () => {
    runtime.platform.configure({ timeoutSeconds: 1 });
    await expect(runtime.platform.send('run: sleep 1000').outcome).resolves.toMatchObject({
      end: 'failed',
      error: { code: 'TURN_TIMEOUT' },
      retryable: false,
    });
    runtime.platform.configure({});
  });

  it('hands the turn of an agent without balance back, so that its messages wait', async () => {
    runtime.platform.balance = 0;
    await expect(runtime.platform.send('hi').outcome).resolves.toMatchObject({ end: 'released' });
    runtime.platform.balance = 1_000_000;
  });
});
