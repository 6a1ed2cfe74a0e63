import { MisbehavingProvider } from '#lib/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

const TALK = 'Some talk about boats and harbours. '.repeat(2_500);

let provider: MisbehavingProvider;
let runtime: RuntimeFixture;
/** What each call of the model was for. */
let calls: string[];

beforeAll(async () => {
  provider = await MisbehavingProvider.start(({ body }) => {
    const isSummary = JSON.stringify(body).includes('Summarise the conversation');
    calls.push(isSummary ? 'summary' : 'answer');
    return { answer: { text: isSummary ? 'They talked about boats.' : 'Noted.' } };
  });
  runtime = await startRuntime(provider.env('openai-chat'));
  runtime.platform.configure({ model: 'openai/gpt-odd', compaction: { thresholdTrigger: 50_000 } });
});
afterAll(async () => {
  await runtime?.stop();
  await provider?.stop();
});

const turnWithBudgetOf = async (steps: number, conversationId: string) => {
  const { platform } = runtime;
  calls = [];
  for (let n = 0; n < 5; n += 1) platform.remember('user', TALK, conversationId);
  platform.debits.clear();
  platform.budgetSteps = steps;
  const { end } = await platform.send('And now?', { conversationId }).outcome;
  return { end, calls };
};

it('has no call of a model made beyond the budget, be it one of many that summarise', async () => {
  const whole = await turnWithBudgetOf(100, 'enough');
  const summaries = whole.calls.length - 1;
  expect(whole).toEqual({ end: 'completed', calls: [...Array<string>(summaries).fill('summary'), 'answer'] });
  expect(summaries).toBeGreaterThan(2);
  await expect(turnWithBudgetOf(1, 'little')).resolves.toEqual({ end: 'released', calls: ['summary'] });
  // Nor the step that the summary was made for.
  const short = await turnWithBudgetOf(summaries, 'short');
  expect(short).toEqual({ end: 'released', calls: Array(summaries).fill('summary') });
});
