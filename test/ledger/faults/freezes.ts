import { FREEZE_MS } from '../timing.js';
import { chooseVictim } from './choose-victim.js';
import type { FaultClass, FaultContext } from './fault-class.js';

export const freezes: FaultClass<FaultContext> = {
  name: 'freezes',
  how: 'SIGSTOP of a worker for two and a half leases: another takes its turns over, then it goes on as if nothing had been',
  quick: 1,
  long: 30,
  async inject(context) {
    const victim = await chooseVictim(context, 'agent-runtime');
    context.begin(`agent-runtime (${victim.name}) stopped for ${FREEZE_MS} ms`);
    await victim.freeze(FREEZE_MS);
  },
  control: {
    without: 'the check of fencing tokens where workers report (messaging, lockTurn)',
    patches: [
      {
        file: 'apps/messaging/src/turns/turns.repository.js',
        line: "if (!turn || turn.state !== 'running' && turn.state !== mayBe) {",
        instead: 'if (!turn) {',
      },
    ],
    // Both workers report: which promise that breaks depends on who is first.
    breaks: ['answered', 'order', 'usage'],
    faults: 8,
  },
};
