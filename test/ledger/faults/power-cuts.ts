import { Disk } from '../roost/disk.js';
import type { FaultClass } from './fault-class.js';

export const powerCuts: FaultClass = {
  name: 'power-cuts',
  how: 'PostgreSQL and NATS keep their data on an ext4 of the run’s own; the kernel’s shutdown of it (FS_IOC_SHUTDOWN without a flush) drops every page and journal entry that is not synced, then the servers are killed, the disk is mounted again and its journal replayed. Every other cut takes the services with it. Not covered: disks that lie about what they have synced, torn sectors, the agents’ own volumes',
  quick: 3,
  long: 50,
  missing: () => Disk.missing(),
  async inject({ roost, random, begin, untilLoaded }) {
    await untilLoaded();
    const isWhole = random.next() < 0.5;
    const what = isWhole ? 'of all machines' : 'of the machine of PostgreSQL and NATS';
    begin(`power cut ${what}`, { endsWorkers: isWhole });
    await roost.cutPower(isWhole);
  },
  control: {
    without: 'synchronous_commit=on (libs/database): a 2xx comes before its commit is on disk',
    patches: [
      {
        file: 'libs/database/src/database.js',
        line: '-c synchronous_commit=on',
        instead: '-c synchronous_commit=off',
      },
    ],
    // Otherwise it writes by itself what nobody waits for, within milliseconds.
    postgres: { wal_writer_delay: '1s', wal_writer_flush_after: '1GB' },
    breaks: ['answered', 'chats', 'slots', 'usage'],
    faults: 3,
  },
};
