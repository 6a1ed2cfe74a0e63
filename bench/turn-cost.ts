import { LLMock } from '@copilotkit/aimock';
import { startTestServers } from '#lib/testing';
import { type RuntimeFixture, startRuntime } from '../apps/agent-runtime/test/runtime-fixture.js';
import type { Figure, Options } from './runner/bench.js';
import { quantile } from './runner/quantile.js';

export const name = 'turn-cost';

/**
 * The runtime alone, in this process, with a stand-in for the rest of Roost: with a model that answers at once all that a
 * turn takes is agent-runtime's, the bus's and the database's. The second half speaks to a mock provider over HTTP, whose
 * own time is included. Options: turns=100.
 */
export async function run(options: Options): Promise<Figure[]> {
  const turns = options.number('turns', 100);
  const servers = await startTestServers();
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  try {
    await mock.start();
    const runtime = await startRuntime({ OPENAI_BASE_URL: `${mock.url}/v1` });
    try {
      runtime.workspace.start();
      return [
        ...figuresOf('no tool call', await withoutTools(runtime, turns)),
        ...figuresOf('three tool calls, mock provider included', await withThreeTools(runtime, mock, turns)),
      ];
    } finally {
      await runtime.stop();
    }
  } finally {
    await mock.stop();
    await servers.stop();
  }
}

function withoutTools(runtime: RuntimeFixture, turns: number): Promise<number[]> {
  runtime.platform.configure({ model: 'demo' });
  return timesOf(runtime, 'hi', turns);
}

function withThreeTools(runtime: RuntimeFixture, mock: LLMock, turns: number): Promise<number[]> {
  runtime.platform.configure({ model: 'openai/test' });
  mock.on({ userMessage: 'three', hasToolResult: true }, { content: 'Done.' });
  mock.onMessage('three', {
    toolCalls: ['a', 'b', 'c'].map((file) => ({
      name: 'write_file',
      arguments: JSON.stringify({ path: `${file}.txt`, content: file }),
    })),
  });
  return timesOf(runtime, 'three', turns);
}

async function timesOf(runtime: RuntimeFixture, text: string, turns: number): Promise<number[]> {
  const times: number[] = [];
  const warmUp = 30;
  for (let turn = 0; turn < turns + warmUp; turn++) {
    const { ms, end } = await runtime.platform.send(text, { conversationId: `cost-${text}-${turn}` }).outcome;
    if (end !== 'completed') throw new Error(`a turn ended as ${end}`);
    if (turn >= warmUp) times.push(ms);
  }
  return times;
}

function figuresOf(what: string, times: number[]): Figure[] {
  return [
    { what: `${what}, p50`, value: quantile(times, 0.5), unit: 'ms', atMost: 40 },
    { what: `${what}, p95`, value: quantile(times, 0.95), unit: 'ms' },
  ];
}
