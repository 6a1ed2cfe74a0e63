import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Figure, Options } from './runner/bench.js';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { callSideBySide, type Calls } from './runner/callers.js';
import { authorization } from './runner/exchange.js';
import { median, quantile } from './runner/quantile.js';

export const name = 'accept';

/**
 * Accepted messages/s through the whole of Roost (HTTP, key, validation, bus, commit), and through a minimal server that
 * inserts one row per request into the same Postgres. In pairs, one after the other, so that both see the same
 * machine; the ratio is the median of the pairs'. The agents are paused: accepting is measured, not answering.
 * Options: callers=32, seconds=2 (of each half), pairs=8, agents=20.
 */
export async function run(options: Options): Promise<Figure[]> {
  const callers = options.number('callers', 32);
  const pairs = options.number('pairs', 8);
  const milliseconds = options.number('seconds', 2) * 1_000;
  const roost = await startBenchRoost(options);
  const floor = await startFloor(roost.databaseUrl);
  try {
    const agents = await makeAgents(roost, options.number('agents', 20));
    for (const agent of agents) {
      const { status } = await roost.api('POST', `/v1/agent/${agent}/pause`);
      if (status !== 200) throw new Error(`an agent could not be paused: ${status}`);
    }
    const content = 'x'.repeat(200);
    const targets = { url: '', headers: authorization(roost), callers, milliseconds };
    const ours = () =>
      callSideBySide({ ...targets, url: roost.url }, async (caller, which) => {
        const { status, body } = await caller.post(`/v1/agent/${agents[which % agents.length]}/messages`, { content });
        if (status !== 201) throw new Error(`a message was not accepted: ${status} ${body}`);
      });
    const minimal = () =>
      callSideBySide({ ...targets, url: floor.url }, async (caller, which) => {
        const { status, body } = await caller.post('/messages', { agent_id: agents[which % agents.length], content });
        if (status !== 201) throw new Error(`the minimal server did not store a row: ${status} ${body}`);
      });
    await minimal();
    await ours();
    const rounds: { ours: Calls; minimal: Calls }[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      // Whoever comes second finds a warmer disk: alternate.
      if (pair % 2 === 0) rounds.push({ ours: await ours(), minimal: await minimal() });
      else {
        const first = await minimal();
        rounds.push({ minimal: first, ours: await ours() });
      }
    }
    const ratios = rounds.map((round) => round.ours.perSecond / round.minimal.perSecond);
    const times = rounds.flatMap((round) => round.ours.times);
    return [
      { what: `accepted with ${callers} callers`, value: median(rounds.map((r) => r.ours.perSecond)), unit: '/s' },
      { what: 'minimal fastify + pg', value: median(rounds.map((r) => r.minimal.perSecond)), unit: '/s' },
      { what: 'ratio, median of pairs', value: median(ratios), unit: '', atLeast: 0.5 },
      { what: 'ratio, worst pair', value: Math.min(...ratios), unit: '' },
      { what: 'sent → accepted, p50', value: quantile(times, 0.5), unit: 'ms' },
      { what: 'sent → accepted, p99', value: quantile(times, 0.99), unit: 'ms' },
    ];
  } finally {
    await floor.stop();
    await roost.stop();
  }
}

async function startFloor(databaseUrl: string): Promise<{ url: string; stop(): Promise<void> }> {
  const server: ChildProcess = fork(fileURLToPath(new URL('./runner/floor-server.js', import.meta.url)), [], {
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });
  const [url] = (await once(server, 'message')) as [string];
  return {
    url,
    async stop() {
      const gone = once(server, 'exit');
      server.disconnect();
      await gone;
    },
  };
}
