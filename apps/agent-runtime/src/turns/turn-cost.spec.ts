import { LLMock } from '@copilotkit/aimock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Brain, startBrain } from '../testing/brain.js';

const TURNS = 60;
const WARM_UP = 20;
/** Many times what it takes on a machine that does nothing else: a test may not fail because another one runs. */
const BOUND_MS = 250;

/** Own time: with a model that answers at once, all that a turn takes is ours, the bus's and the database's. */
describe('what a turn costs', () => {
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let brain: Brain;
  beforeAll(async () => {
    await mock.start();
    brain = await startBrain({ OPENAI_BASE_URL: `${mock.url}/v1` });
    brain.workspace.start();
  });
  afterAll(async () => {
    await brain.stop();
    await mock.stop();
  });

  async function measure(text: string): Promise<{ p50: number; p95: number }> {
    const times: number[] = [];
    for (let turn = 0; turn < TURNS + WARM_UP; turn++) {
      const { ms, end } = await brain.platform.say(text, { conversationId: `cost-${text}-${turn}` }).outcome;
      expect(end).toBe('completed');
      if (turn >= WARM_UP) times.push(ms);
    }
    times.sort((a, b) => a - b);
    return { p50: times[TURNS / 2] ?? 0, p95: times[Math.floor(TURNS * 0.95)] ?? 0 };
  }

  it('is little without tools', async () => {
    brain.platform.configure({ model: 'demo' });
    const { p50, p95 } = await measure('hi');
    console.log(`turn without tools: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
    expect(p50).toBeLessThan(BOUND_MS);
  });

  it('is little with three tool calls against a mock provider, the mock’s own time included', async () => {
    brain.platform.configure({ model: 'openai/test' });
    mock.on({ userMessage: 'three', hasToolResult: true }, { content: 'Done.' });
    mock.onMessage('three', {
      toolCalls: ['a', 'b', 'c'].map((name) => ({
        name: 'write_file',
        arguments: JSON.stringify({ path: `${name}.txt`, content: name }),
      })),
    });
    const { p50, p95 } = await measure('three');
    console.log(`turn with three tool calls: p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
    expect(p50).toBeLessThan(BOUND_MS);
  });
});
