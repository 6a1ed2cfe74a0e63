import { setTimeout as sleep } from 'node:timers/promises';
import { type ClosedNetwork, openClosedNetwork } from '../closed-network/closed-network.js';
import { denied4, denied6 } from './addresses.js';
import { corpus } from './corpus.js';
import { type Client, guardedClients, unguardedDial } from './clients.js';

/** What a run found; `guard.spec.ts` and `npm run guard` read it from the last line. */
export interface CorpusReport {
  /** Denied addresses that were counted when dialled without the guard, of all. */
  control: { counted: number; dialled: number; packets: number };
  denied: { cases: number; dials: number; arrived: string[] };
  forms: { cases: number; accepted: string[] };
  open: { cases: number; dials: number; refused: string[] };
  rebinding: { cases: number; dials: number; wrong: string[] };
  packets: { outside: number; loopback: number };
  deniedConnections: number;
  /** Cases during which a packet left. */
  leaks: string[];
  seconds: number;
}

/** Inside a closed network: every case through every client. `step` takes each n-th case only. */
const step = Number(process.argv[2] ?? 1);
const beganAt = performance.now();
const network = await openClosedNetwork({
  open: corpus.openAddresses,
  names: corpus.names,
  certificateHosts: corpus.certificateHosts,
});
const clients = guardedClients({ schemes: ['http', 'https'], ca: network.certificate.cert });
const sampled = <T>(cases: readonly T[]) => cases.filter((_, index) => index % step === 0);

const control = await proveCounter(network);
const before = { packets: network.deniedPackets(), connections: (await network.connections()).denied };
const leaks: string[] = [];
const denied = await tryDenied();
const forms = await tryForms();
const open = await tryOpen();
const rebinding = await tryRebinding();
await sleep(500);
const after = { packets: network.deniedPackets(), connections: (await network.connections()).denied };
const report: CorpusReport = {
  control,
  denied,
  forms,
  open,
  rebinding,
  packets: {
    outside: after.packets.outside - before.packets.outside,
    loopback: after.packets.loopback - before.packets.loopback,
  },
  deniedConnections: after.connections - before.connections,
  leaks,
  seconds: Math.round((performance.now() - beganAt) / 1_000),
};
await network.close();
console.log(JSON.stringify(report));
process.exit(0);

/** Dials the denied addresses without the guard: a counter that counts nothing proves nothing. */
async function proveCounter({ deniedPackets }: ClosedNetwork): Promise<CorpusReport['control']> {
  const total = () => deniedPackets().outside + deniedPackets().loopback;
  const begin = total();
  let counted = 0;
  const all = [...denied4, ...denied6.map((address) => `[${address}]`)];
  for (const address of all) {
    const packets = total();
    await unguardedDial(`http://${address}/`);
    if (total() > packets) counted += 1;
  }
  // The farewells of those connections are still on their way.
  for (let packets = -1; packets !== total();) {
    packets = total();
    await sleep(300);
  }
  return { counted, dialled: all.length, packets: total() - begin };
}

async function tryDenied(): Promise<CorpusReport['denied']> {
  const cases = sampled(corpus.denied);
  const arrived: string[] = [];
  let dials = 0;
  for (const { kind, url } of cases) {
    const packets = JSON.stringify(network.deniedPackets());
    await Promise.all(
      Object.entries(clients).map(async ([name, client]) => {
        dials += 1;
        if (await arrives(client, url)) arrived.push(`${name}: ${kind}: ${shown(url)}`);
      }),
    );
    if (JSON.stringify(network.deniedPackets()) !== packets) leaks.push(`${kind}: ${shown(url)}`);
  }
  return { cases: cases.length, dials, arrived };
}

async function tryForms(): Promise<CorpusReport['forms']> {
  const accepted: string[] = [];
  for (const url of corpus.refusedForms) {
    for (const name of ['request', 'webhook'] as const) {
      if (await arrives(clients[name], url)) accepted.push(`${name}: ${shown(url)}`);
    }
  }
  return { cases: corpus.refusedForms.length, accepted };
}

async function tryOpen(): Promise<CorpusReport['open']> {
  // Never sampled: there are few of them.
  const refused: string[] = [];
  let dials = 0;
  for (const { kind, url, addresses, host } of corpus.open) {
    const isTls = url.startsWith('https:');
    const fit = Object.entries(clients).filter(([name]) => !isTls || name !== 'proxy');
    await Promise.all(
      fit.map(async ([name, client]) => {
        dials += 1;
        // Clients of a proxy write a name as it is asked for.
        const text = name === 'proxy' || name === 'tunnel' ? new URL(url).href : url;
        const end = await client(text).catch((error: unknown) => ({ address: String(error), host: '' }));
        const isThere = addresses.includes(end.address) || (name === 'tunnel' && isTls && end.address === '');
        const keepsHost = host === '' || end.host === '' || end.host.toLowerCase() === host || name === 'agents';
        if (!isThere || !keepsHost) refused.push(`${name}: ${kind}: ${shown(url)}: ${end.address} ${end.host}`);
      }),
    );
  }
  return { cases: corpus.open.length, dials, refused };
}

/** The name leads out at one question and inside at the next, or the other way round. */
async function tryRebinding(): Promise<CorpusReport['rebinding']> {
  const cases = sampled(corpus.rebinding);
  const wrong: string[] = [];
  let dials = 0;
  for (const { url, isOpenFirst } of cases) {
    for (const name of ['request', 'connect', 'agents', 'proxy', 'fetch', 'tunnel']) {
      await network.setNames(corpus.names);
      for (const expected of [isOpenFirst, !isOpenFirst]) {
        dials += 1;
        if ((await arrives(clients[name], url)) !== expected) wrong.push(`${name}: ${url}: expected ${expected}`);
      }
    }
    // Registered while it leads out, delivered when it leads inside: the delivery asks again.
    await network.setNames(corpus.names);
    dials += 1;
    if (await arrives(clients.webhook, url)) wrong.push(`webhook: ${url}`);
  }
  return { cases: cases.length, dials, wrong };
}

async function arrives(client: Client | undefined, url: string): Promise<boolean> {
  if (!client) throw new Error('there is no such client');
  const late = new AbortController();
  const answer = client(url).then(
    () => true,
    () => false,
  );
  // A client that says nothing at all is a fault of its own.
  const silence = sleep(20_000, undefined, { signal: late.signal }).then(
    () => {
      throw new Error(`no answer to ${shown(url)}`);
    },
    () => false,
  );
  const arrived = await Promise.race([answer, silence]);
  late.abort();
  return arrived;
}

function shown(url: string): string {
  return JSON.stringify(url.slice(0, 120));
}
