import { setTimeout as sleep } from 'node:timers/promises';
import { Disk } from '../roost/disk.js';
import type { FaultClass } from './fault-class.js';

const FULL_MS = 5_000;

export const fullDisk: FaultClass = {
  name: 'full-disk',
  how: 'the disk of PostgreSQL and NATS is filled to the last block for 5 s, then has room again',
  quick: 1,
  long: 20,
  missing: () => Disk.missing(),
  async inject({ roost, begin }) {
    begin('no block left for PostgreSQL and NATS');
    try {
      roost.disk?.fill();
      await sleep(FULL_MS);
    } finally {
      roost.disk?.empty();
    }
  },
  control: {
    without:
      'waiting for the commit (libs/database): a transaction that could not be committed is reported as one that was',
    patches: [
      {
        file: 'libs/database/src/transaction.js',
        line: 'await (this.commitSent ?? this.sendCommit());',
        instead: 'await (this.commitSent ?? this.sendCommit()).catch(() => undefined);',
      },
    ],
    breaks: ['answered'],
    faults: 2,
  },
};
