import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#lib/testing';
import { chooseVictim } from './choose-victim.js';
import type { FaultClass, FaultContext } from './fault-class.js';

/** For so long a consumer reads nothing, so that there is something to lose; the wipe comes in the middle. */
const STALLED_MS = 3_000;

export const wipedBus: FaultClass<FaultContext> = {
  name: 'wiped-nats',
  how: 'webhook-dispatch is stopped (SIGSTOP) for 3 s, so that events wait for it; meanwhile the NATS store (streams, consumers, what was not yet delivered) is deleted under the running server, then the server is killed',
  quick: 2,
  long: 20,
  async inject(context) {
    const victim = await chooseVictim(context, 'nats-server');
    const stalled = (await chooseVictim(context, 'webhook-dispatch')).freeze(STALLED_MS);
    await sleep(STALLED_MS / 2);
    context.begin('the NATS store deleted, nats-server killed');
    await wipe(context.targets.busFolder);
    await victim.kill();
    await stalled;
  },
  control: {
    without: 'the refill of a stream that is younger than its last publish (libs/bus, OutboxRelay)',
    patches: [
      {
        file: 'libs/bus/src/outbox/outbox-relay.js',
        line: 'if (state) await tx.query(`UPDATE outbox SET published_at = NULL',
        instead: 'if (false) await tx.query(`UPDATE outbox SET published_at = NULL',
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
