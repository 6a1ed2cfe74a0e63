import { setTimeout as sleep } from 'node:timers/promises';
import { Disk } from '../roost/disk.js';
import type { FaultClass, WholeContext } from './fault-class.js';

const FULL_MS = 5_000;

export const fullDisk: FaultClass = {
  name: 'full-disk',
  how: 'the disk of PostgreSQL and NATS is filled to the last block for 5 s, then has room again',
  quick: 1,
  long: 20,
  missing: () => Disk.missing(),
  inject,
  control: {
    without:
      'PostgreSQL’s codes for a lack of disk and failures of its system (libs/database): they are errors of ours, not a database that is away',
    patches: [
      {
        file: 'libs/database/src/database-away.js',
        line: 'const CLASSES = /^(08|53|58)...$/;',
        instead: 'const CLASSES = /^08...$/;',
      },
    ],
    // A disk that was full all the time would let nothing begin that could fail.
    inject: async (context) => {
      await context.untilLoaded();
      await inject(context);
    },
    breaks: ['answered', 'chats', 'slots', 'usage'],
    faults: 8,
  },
};

async function inject({ roost, begin }: WholeContext): Promise<void> {
  begin('no block left for PostgreSQL and NATS');
  try {
    roost.disk?.fill();
    await sleep(FULL_MS);
  } finally {
    roost.disk?.empty();
  }
}
