import type { Figure, Options } from './runner/bench.js';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { type Caller, callSideBySide, type Calls } from './runner/callers.js';
import { authorization, exchange } from './runner/exchange.js';
import { installLangGraph, startLangGraph } from './runner/langgraph.js';
import { median, quantile } from './runner/quantile.js';

export const name = 'langgraph';

export const prepare = installLangGraph;

/**
 * The same echo turn through Roost and through LangGraph's JS development server, in pairs in one run: each caller has
 * an agent, or a thread, and sends again when the answer is there. Roost authenticates and commits to disk; LangGraph
 * does neither. Both run in one network that has a loopback only. Options: callers=20, turns=400 (of each in a pair), pairs=3.
 */
export async function run(options: Options): Promise<Figure[]> {
  const callers = options.number('callers', 20);
  const count = options.number('turns', 400);
  const langGraph = await startLangGraph();
  try {
    const roost = await startBenchRoost(options);
    try {
      const agents = await makeAgents(roost, callers);
      const ours = (turns: number) =>
        callSideBySide(
          { url: roost.url, headers: authorization(roost), callers, count: turns },
          async (caller, which) => {
            await exchange(caller, agents[which] ?? '', 'echo');
          },
        );
      const threads = await makeThreads(langGraph.url, callers);
      const theirs = (turns: number) =>
        callSideBySide({ url: langGraph.url, headers: {}, callers, count: turns }, (caller, which) =>
          runThread(caller, threads[which] ?? ''),
        );
      await ours(callers * 10);
      await theirs(callers * 3);
      const rounds: { ours: Calls; theirs: Calls }[] = [];
      for (let pair = 0; pair < options.number('pairs', 3); pair++)
        rounds.push({ ours: await ours(count), theirs: await theirs(Math.ceil(count / 4)) });
      return figuresOf(rounds, callers, langGraph.version);
    } finally {
      await roost.stop();
    }
  } finally {
    await langGraph.stop();
  }
}

function figuresOf(rounds: { ours: Calls; theirs: Calls }[], callers: number, version: string): Figure[] {
  const p50 = (which: 'ours' | 'theirs') => median(rounds.flatMap((round) => round[which].times));
  const p99 = (which: 'ours' | 'theirs') =>
    quantile(
      rounds.flatMap((round) => round[which].times),
      0.99,
    );
  const rate = (which: 'ours' | 'theirs') => median(rounds.map((round) => round[which].perSecond));
  return [
    { what: `Roost, turns with ${callers} callers`, value: rate('ours'), unit: '/s' },
    { what: 'Roost, p50', value: p50('ours'), unit: 'ms' },
    { what: 'Roost, p99', value: p99('ours'), unit: 'ms' },
    { what: `langgraphjs dev ${version}, runs`, value: rate('theirs'), unit: '/s' },
    { what: 'langgraphjs dev, p50', value: p50('theirs'), unit: 'ms' },
    { what: 'langgraphjs dev, p99', value: p99('theirs'), unit: 'ms' },
    {
      what: 'rate, Roost / LangGraph, median of pairs',
      value: median(rounds.map((round) => round.ours.perSecond / round.theirs.perSecond)),
      unit: '×',
    },
    { what: 'p50, Roost / LangGraph', value: p50('ours') / p50('theirs'), unit: '×' },
  ];
}

async function makeThreads(url: string, count: number): Promise<string[]> {
  const make = async () => {
    const response = await fetch(`${url}/threads`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    return ((await response.json()) as { thread_id: string }).thread_id;
  };
  return Promise.all(Array.from({ length: count }, make));
}

async function runThread(caller: Caller, thread: string): Promise<void> {
  const { status, body } = await caller.post(`/threads/${thread}/runs/wait`, {
    assistant_id: 'echo',
    input: { messages: [{ role: 'user', content: 'echo' }] },
  });
  if (status !== 200 || !body.includes('You said: echo')) throw new Error(`no answer came: ${status} ${body}`);
}
