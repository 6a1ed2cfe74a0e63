import { type Attack, makeAgent, send } from './attack.js';

const SLEEPERS = 22;

/** More agents than there are turn slots, none of which ends its turn. */
export const sleepers: Attack = async (target) => {
  const agents = await Promise.all(Array.from({ length: SLEEPERS }, (_, n) => makeAgent(target, `sleeper-${n}`)));
  const made = agents.filter((agent) => agent !== undefined);
  await Promise.all(made.map((agent) => send(target, agent, 'run: sleep 100')));
};

const agentThatRuns =
  (name: string, command: string): Attack =>
  async (target) => {
    const agent = await makeAgent(target, name);
    if (agent) await send(target, agent, `run: ${command}`);
  };

export const forkBomb = agentThatRuns(
  'forks',
  `timeout 40 perl -e 'while (1) { $p = fork; if (defined $p && !$p) { sleep 2; exit } }'`,
);
export const memoryBomb = agentThatRuns('memory', `for i in $(seq 40); do perl -e '$a = "x" x 3_000_000_000'; done`);
export const diskBomb = agentThatRuns(
  'disk',
  `for i in $(seq 20); do head -c 3000000000 /dev/zero > big$i; rm -f big$i; done`,
);
/** To the command's own standard error, and where the sandbox lets it, to that of the sandbox's first process. */
export const stderrFlood = agentThatRuns(
  'stderr',
  `(timeout 30 head -c 600000000 /dev/zero > /proc/1/fd/2); timeout 30 head -c 600000000 /dev/zero >&2`,
);
