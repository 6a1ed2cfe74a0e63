import type { Figure, Options } from './runner/bench.js';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { callSideBySide } from './runner/callers.js';
import { authorization, exchange } from './runner/exchange.js';
import { cpuTimes } from './runner/cpu-time.js';
import { quantile } from './runner/quantile.js';

export const name = 'turns';

/**
 * Turns/s while callers talk to an agent each, sending again when the reply is there, with the demo model.
 * Options: callers=20, turns=2000.
 */
export async function run(options: Options): Promise<Figure[]> {
  const callers = options.number('callers', 20);
  const turns = options.number('turns', 2_000);
  const roost = await startBenchRoost(options);
  try {
    const agents = await makeAgents(roost, callers);
    const target = { url: roost.url, headers: authorization(roost), callers };
    const talk = (count: number) =>
      callSideBySide({ ...target, count }, async (caller, which) => {
        await exchange(caller, agents[which] ?? '', 'echo');
      });
    await talk(Math.min(400, turns));
    const before = cpuTimes(roost.pid);
    const { perSecond, times } = await talk(turns);
    const after = cpuTimes(roost.pid);
    const cpuOf = (program: string) => (after.byProgram.get(program) ?? 0) - (before.byProgram.get(program) ?? 0);
    return [
      { what: `turns with ${callers} callers`, value: perSecond, unit: '/s', atLeast: 150 },
      { what: 'sent → reply read, p50', value: quantile(times, 0.5), unit: 'ms' },
      { what: 'sent → reply read, p99', value: quantile(times, 0.99), unit: 'ms' },
      { what: 'CPU per turn', value: (after.totalMs - before.totalMs) / turns, unit: 'ms' },
      { what: 'of it PostgreSQL', value: cpuOf('postgres') / turns, unit: 'ms' },
      { what: 'of it NATS', value: cpuOf('nats-server') / turns, unit: 'ms' },
    ];
  } finally {
    await roost.stop();
  }
}
