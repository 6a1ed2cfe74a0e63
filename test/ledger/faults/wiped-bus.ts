import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#lib/testing';
import { chooseVictim } from './choose-victim.js';
import type { FaultClass, FaultContext } from './fault-class.js';

/** Before the wipe a consumer is gone for so long, less than it takes to start: there shall be something to lose. */
const UNREAD_MS = 1_000;

export const wipedBus: FaultClass<FaultContext> = {
  name: 'wiped-nats',
  how: 'webhook-dispatch is killed, so that events wait for it; a second later the NATS store (streams, consumers, what was not yet delivered) is deleted under the running server, then the server is killed',
  quick: 2,
  long: 20,
  async inject(context) {
    const victim = await chooseVictim(context, 'nats-server');
    const consumer = await chooseVictim(context, 'webhook-dispatch');
    context.begin('webhook-dispatch killed, the NATS store deleted, nats-server killed');
    await consumer.kill();
    await sleep(UNREAD_MS);
    await wipe(context.targets.busFolder);
    await victim.kill();
  },
  control: {
    without: 'the refill of a stream that is younger than its last publish (libs/bus, OutboxRelay)',
    patches: [
      {
        file: 'libs/bus/src/outbox/outbox-relay.js',
        line: 'if (isNew) await this.publishAgain(',
        instead: 'if (false) await this.publishAgain(',
      },
      // What a server of before 2.10 is not trusted with is more than the wipe took.
      {
        file: 'libs/bus/src/outbox/outbox-relay.js',
        line: 'else if (row && !flushesEach(version)) {',
        instead: 'else if (false) {',
      },
    ],
    breaks: ['webhooks', 'chats', 'slots'],
    faults: 3,
  },
};

/** The server writes on meanwhile: a folder may get new files between its listing and its removal. */
async function wipe(folder: string): Promise<void> {
  await until('the NATS store is deleted', () =>
    rm(folder, { recursive: true, force: true }).then(
      () => true,
      () => false,
    ),
  );
}
