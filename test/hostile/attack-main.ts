import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, setGlobalDispatcher } from 'undici';
import { apiClient } from '#lib/testing';
import { attacks } from './attacks.js';
import { Tally } from './tally.js';

/** The hostile account: does everything at once until the time is over, and prints how it was answered as JSON. */
const [url = '', seconds = '30'] = process.argv.slice(2);
const key = process.env['HOSTILE_KEY'] ?? '';
setGlobalDispatcher(new Agent({ connections: 2_000, pipelining: 1 }));
const over = AbortSignal.timeout(Number(seconds) * 1_000);
// Every stream and every body listens for the end.
setMaxListeners(0, over);
const tally = new Tally();
const target = { url, key, api: apiClient(url, key), over };
const all = Promise.all(
  Object.entries(attacks).map(([name, attack]) =>
    attack({ ...target, count: (answer) => tally.add(name, answer) }).catch((error: unknown) =>
      tally.add(name, over.aborted ? 'cut off at the end' : String(error).slice(0, 100)),
    ),
  ),
);
// What still waits for an answer then is not waited for.
await Promise.race([all, sleep(Number(seconds) * 1_000 + 2_000)]);
process.stdout.write(JSON.stringify(tally.answers), () => process.exit(0));
