import { followEvents, until } from '#lib/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { makeAgents, startBenchRoost } from './runner/bench-roost.js';
import { type Figure, Options } from './runner/bench.js';
import { authorization } from './runner/exchange.js';
import { quantile } from './runner/quantile.js';

export const name = 'interrupts';

const GOAL_MS = 1_000;

/**
 * Interrupts of a command that runs in an agent's sandbox, the worker in another process than gateway and messaging:
 * from the 201 of the interrupting message until the turn is reported as interrupted, and until the command is gone from
 * the host. Options: count=100.
 */
export async function run(options: Options): Promise<Figure[]> {
  const count = options.number('count', 100);
  const roost = await startBenchRoost(new Options(['processes']));
  const reportedAt: number[] = [];
  try {
    const [agentId = ''] = await makeAgents(roost, 1);
    let isOpen = false;
    const stream = followEvents(
      `${roost.url}/v1/agent/${agentId}/events`,
      authorization(roost),
      ({ type }) => {
        if (type === 'turn.interrupted') reportedAt.push(performance.now());
      },
      { onOpen: () => (isOpen = true) },
    );
    await until('the stream is open', () => isOpen);
    const send = (content: string, more: object = {}) =>
      roost.api('POST', `/v1/agent/${agentId}/messages`, { content, ...more });
    const reported: number[] = [];
    const gone: number[] = [];
    await send(`run: ${command(0)}`);
    for (let n = 1; n <= count; n += 1) {
      await until('the command runs', () => isRunning(command(n - 1)));
      const { status } = await send(`run: ${command(n)}`, { queue_mode: 'interrupt' });
      if (status !== 201) throw new Error(`an interrupt was not accepted: ${status}`);
      const acceptedAt = performance.now();
      await until('the command is gone', () => !isRunning(command(n - 1)), { everyMs: 2 });
      gone.push(performance.now() - acceptedAt);
      await until('the turn is reported as interrupted', () => reportedAt.length === n, { everyMs: 2 });
      reported.push((reportedAt[n - 1] ?? 0) - acceptedAt);
    }
    await stream.stop();
    await roost.api('POST', `/v1/agent/${agentId}/stop`);
    return [
      ...figures('interrupt → command gone from the host', gone),
      ...figures('interrupt → turn.interrupted reported', reported),
    ];
  } finally {
    await roost.stop();
  }
}

const figures = (what: string, times: number[]): Figure[] => [
  { what: `${what}, p50`, value: quantile(times, 0.5), unit: 'ms' },
  { what: `${what}, p99 of ${times.length}`, value: quantile(times, 0.99), unit: 'ms', atMost: GOAL_MS },
];

/** One that is known by its arguments. */
const command = (n: number) => `sleep 98765.${n}`;

function isRunning(wanted: string): boolean {
  const argv = `${wanted.replace(' ', '\0')}\0`;
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8') === argv;
    } catch {
      return false; // it ended while we looked
    }
  });
}
