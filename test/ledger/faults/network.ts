import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkFault } from '#lib/testing';
import type { FaultClass } from './fault-class.js';

const KINDS = ['delay', 'loss', 'partition', 'half', 'reset'] as const;
/** Longer than a lease: a worker that is cut off loses its turns and comes back. */
const LONG_MS = 6_000;
const SHORT_MS = 1_500;
/** Within it requests are answered. */
const ANSWERED_MS = 500;

let round: (typeof KINDS)[number][] = [];

export const network: FaultClass = {
  name: 'network',
  how: 'between one process and NATS, PostgreSQL or both, through which all services speak with each other: everything late (50 to 450 ms), a tenth of all pieces lost and sent again, nothing passes in both directions or in one, connections reset; for 1.5 or 6 s. By a TCP proxy for each process and server: retransmission is played, not the kernel’s own',
  quick: 5,
  long: 200,
  async inject({ roost, random, begin }) {
    if (round.length === 0) round = [...KINDS];
    const [kind = 'reset'] = round.splice(Math.floor(random.next() * round.length), 1);
    const slot = random.pick(roost.slots);
    const servers = random.pick([['nats'], ['postgres'], ['nats', 'postgres']] as const);
    const forMs = random.next() < 0.4 ? LONG_MS : SHORT_MS;
    const fault = faultOf(kind, () => random.next());
    begin(`${kind} between ${slot.name} and ${servers.join(' and ')} for ${forMs} ms`);
    for (const server of servers) slot.links[server].setFault(fault);
    await sleep(forMs);
    for (const server of servers) slot.links[server].setFault(undefined);
  },
  control: {
    without:
      'the idempotency key of a message (messaging): what a client sends again because its answer was lost is a new message',
    patches: [
      {
        file: 'apps/messaging/src/messages/send.repository.js',
        line: 'dedupe_key: input.dedupeKey ?? null,',
        instead: 'dedupe_key: null,',
      },
    ],
    // The gateway's requests arrive, and their answers are lost with its connection.
    async inject({ roost, begin, untilLoaded }) {
      await untilLoaded();
      begin('answers to gateway lost');
      const links = roost.slots.filter(({ name }) => name.startsWith('gateway')).map((slot) => slot.links.nats);
      for (const kind of ['half', 'reset'] as const) {
        for (const link of links) link.setFault({ kind });
        await sleep(ANSWERED_MS);
      }
      for (const link of links) link.setFault(undefined);
    },
    breaks: ['answered'],
    faults: 3,
  },
};

function faultOf(kind: (typeof KINDS)[number], random: () => number): LinkFault {
  if (kind === 'delay') return { kind, ms: 50 + Math.floor(random() * 400) };
  if (kind === 'loss') return { kind, part: 0.1, random };
  return { kind };
}
