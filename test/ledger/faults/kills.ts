import { SERVERS, SERVICES, type Target } from '../fault-targets.js';
import { chooseVictim } from './choose-victim.js';
import type { FaultClass, FaultContext } from './fault-class.js';

/** Each of them in turn, in an order that changes every round. */
export function killsOf(targets: readonly Target[]): FaultClass<FaultContext> {
  let round: Target[] = [];
  return {
    name: 'kills',
    how: 'kill -9 of each service, of PostgreSQL and of nats-server in turn; a fifth of them while the process starts',
    quick: 18,
    long: 500,
    async inject(context) {
      if (round.length === 0) round = [...targets];
      const [target] = round.splice(Math.floor(context.random.next() * round.length), 1);
      if (target === undefined) return;
      const victim = await chooseVictim(context, target);
      context.begin(`kill -9 of ${target} (${victim.name})`, { endsWorkers: target === 'agent-runtime' });
      await victim.kill();
    },
    control: {
      without: 'the sweep that gives the turns of lost workers to others (messaging, lockExpiredTurn)',
      patches: [
        {
          file: 'apps/messaging/src/turns/turns.repository.js',
          line: "WHERE t.state = 'running' AND t.lease_until < clock_timestamp()",
          instead: "WHERE t.state = 'running' AND t.lease_until < '-infinity'",
        },
      ],
      breaks: ['answered', 'time'],
      faults: 12,
    },
  };
}

export const kills = killsOf([...SERVICES, ...SERVERS]);
