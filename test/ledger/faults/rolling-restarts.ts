import { previousRevision } from '../roost/builds.js';
import type { FaultClass } from './fault-class.js';

export const rollingRestarts: FaultClass = {
  name: 'rolling-restarts',
  how: 'one process after the other is stopped as an update does (SIGTERM, it drains) and started from the other of two versions: this one and the one before it, there and back in turn. Both run beside each other meanwhile, and other faults happen',
  quick: 1,
  long: 30,
  takesLong: true,
  missing: () => (previousRevision() === undefined ? 'no version before this one in this checkout' : undefined),
  async inject({ roost, random, begin, previous, current }) {
    const isAtCurrent = roost.slots.every(({ buildName }) => buildName === current.name);
    const to = isAtCurrent ? previous() : current;
    begin(`all processes from ${isAtCurrent ? current.name : 'the other'} to ${to.name}`);
    const slots = [...roost.slots];
    while (slots.length > 0) {
      const [slot] = slots.splice(Math.floor(random.next() * slots.length), 1);
      await slot?.replace(to);
    }
  },
  control: {
    without: 'the contract between versions: the other version publishes message.completed under another subject',
    replaces: 'previous',
    patches: [
      {
        file: 'libs/contracts/src/messaging-events.js',
        line: "'messaging.message.completed'",
        instead: "'messaging.message.answered'",
      },
    ],
    breaks: ['webhooks', 'slots', 'chats'],
    faults: 2,
  },
};
