import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Attack, attacks, canariesOf } from './attacks.js';
import { type Egress, grant, startEgress, zone } from './egress-fixture.js';
import { type Hosts, startHosts } from './hosts.js';

let hosts: Hosts;
let egress: Egress;
beforeAll(async () => {
  hosts = await startHosts();
  egress = await startEgress(hosts);
});
afterAll(async () => {
  await egress?.close();
  hosts?.close();
});

/** For an attempt to be answered or ended; what holds a connection open gains nothing by it. */
const patienceMs = 3_000;
/** Fewer than an agent may send in a second. */
const atOnce = 8;

it('400 attacks: no secret arrives anywhere but at its host, and none comes back', async () => {
  const api = `api.${zone}:${hosts.port}`;
  const other = `www.${zone}:${hosts.port}`;
  const own = grant([api, `rebinding.${zone}:${hosts.port}`, `mixed.${zone}:${hosts.port}`]);
  const elsewhere = grant([`elsewhere.${zone}:${hosts.port}`]);
  const [foreign, revoked] = [grant([api]), grant([api])];
  await egress.grant('other-agent', [foreign]);
  await egress.grant('agent', [own, elsewhere, revoked]);
  await egress.grant('agent', [own, elsewhere]);
  const all = [own, elsewhere, foreign, revoked];
  const canaries = canariesOf(all);
  const placeholder = (one: typeof own) => one.placeholder ?? '';
  const table = attacks({
    api,
    other,
    placeholder: placeholder(own),
    foreign: placeholder(foreign),
    revoked: placeholder(revoked),
    elsewhere: placeholder(elsewhere),
  });
  expect(table.length).toBeGreaterThanOrEqual(400);
  const leaks: string[] = [];
  const misdirected: string[] = [];
  let answered = 0;
  const tried = async (attack: Attack) => {
    const back = await attempt(attack).catch(() => '');
    if (back.startsWith('HTTP/1.1')) answered += 1;
    const found = [back, decoded(back)].some((form) => canaries.some((canary) => form.includes(canary)));
    if (found) leaks.push(attack.name);
  };
  const waiting = [...table];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        await tried(next);
        await sleep(30); // below the rate at which an agent's requests are refused
      }
    }),
  );
  for (const { host, ...arrived } of hosts.arrivals) {
    const said = JSON.stringify(arrived);
    const isOwn = own.hosts.includes(host);
    const secret = canaries.find((canary) => said.includes(canary));
    if (secret !== undefined && !(isOwn && canariesOf([own]).includes(secret))) misdirected.push(`${host} ${said}`);
    if (/roost-placeholder-/i.test(said)) misdirected.push(`placeholder: ${host} ${said}`);
  }
  expect({ leaks, misdirected }).toEqual({ leaks: [], misdirected: [] });
  expect(answered).toBeGreaterThan(300);
  // Most of what may arrive did: the proxy does not hold by refusing everything.
  expect(hosts.arrivals.length).toBeGreaterThan(table.filter(({ mayArrive }) => mayArrive).length * 0.9);
  const written = [
    JSON.stringify(egress.logged),
    JSON.stringify(egress.uses),
    readFileSync(join(egress.folder, 'egress', 'agent.jsonl'), 'utf8'),
  ].join('\n');
  expect(canaries.filter((canary) => written.includes(canary))).toEqual([]);
});

async function attempt({ connectTo, servername, request, isPlain }: Attack): Promise<string> {
  if (isPlain) return Promise.race([egress.raw('agent', request), sleep(patienceMs, '')]);
  const secure = await egress.tls('agent', connectTo, servername === undefined ? {} : { servername });
  secure.write(request, 'latin1');
  const timer = setTimeout(() => secure.destroy(), patienceMs);
  try {
    return await text(secure.setEncoding('latin1'));
  } catch {
    return '';
  } finally {
    clearTimeout(timer);
  }
}

/** An answer whose body was left compressed. */
function decoded(answer: string): string {
  const bytes = Buffer.from(answer.slice(answer.indexOf('\r\n\r\n') + 4), 'latin1');
  for (const decode of [gunzipSync, inflateSync, brotliDecompressSync, zstdDecompressSync]) {
    try {
      return decode(bytes).toString();
    } catch {
      continue; // it is not that
    }
  }
  return '';
}
