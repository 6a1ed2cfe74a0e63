import { STREAM_PART_BYTES } from '#lib/contracts';
import { readdirSync, readFileSync } from 'node:fs';
import { startBenchRoost } from './runner/bench-roost.js';
import { type Figure, Options } from './runner/bench.js';

export const name = 'large-files';

/**
 * A large file up and down over HTTP, with the memory that the gateway and the workspace's daemon needed more than
 * before. Every service has a process of its own. Options: mebibytes=1024.
 */
export async function run(options: Options): Promise<Figure[]> {
  const mebibytes = options.number('mebibytes', 1_024);
  const bytes = mebibytes * 2 ** 20;
  const roost = await startBenchRoost(new Options(['processes']));
  try {
    const { body } = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'large-files',
      pvc_size: `${Math.ceil(mebibytes / 1_024) * 2 + 1}Gi`,
    });
    const url = `${roost.url}/v1/agent/${body.id}/filesystem/files/large`;
    const headers = { authorization: `Bearer ${roost.apiKey}` };
    const small = { ...headers, 'content-type': 'application/octet-stream' };
    // What the first request costs is no matter of size.
    await sent(fetch(`${url}-warm`, { method: 'POST', headers: small, body: Buffer.alloc(2 ** 20) }));
    const watched = new Map([
      ['gateway', processOf(roost.pid, 'apps/gateway/')],
      ['daemon', processOf(roost.pid, 'workspace-daemon.mjs')],
    ]);
    const before = new Map([...watched].map(([what, pid]) => [what, residentBytes(pid)]));
    const peak = new Map(before);
    const watch = setInterval(() => {
      for (const [what, pid] of watched) peak.set(what, Math.max(peak.get(what) ?? 0, residentBytes(pid)));
    }, 20);
    const upMs = await timed(() =>
      sent(fetch(url, { method: 'POST', headers: small, body: content(bytes), duplex: 'half' } as RequestInit)),
    );
    let received = 0;
    const downMs = await timed(async () => {
      const response = await fetch(url, { headers: { ...headers, accept: 'application/octet-stream' } });
      for await (const chunk of response.body ?? []) received += chunk.length;
    });
    clearInterval(watch);
    if (received !== bytes) throw new Error(`${received} bytes came back of ${bytes}`);
    const rate = (ms: number) => mebibytes / (ms / 1_000);
    return [
      { what: `${mebibytes} MiB up over HTTP`, value: rate(upMs), unit: 'MiB/s' },
      { what: `${mebibytes} MiB down over HTTP`, value: rate(downMs), unit: 'MiB/s' },
      ...[...peak].map(([what, most]) => ({
        what: `extra memory of the ${what}`,
        value: (most - (before.get(what) ?? 0)) / 2 ** 20,
        unit: 'MiB',
        atMost: 64,
      })),
    ];
  } finally {
    await roost.stop();
  }
}

function content(bytes: number): ReadableStream<Uint8Array> {
  const part = new Uint8Array(STREAM_PART_BYTES).fill(0x72);
  let left = bytes;
  return new ReadableStream(
    {
      pull(controller) {
        if (left <= 0) return controller.close();
        controller.enqueue(part.subarray(0, Math.min(left, part.length)));
        left -= part.length;
      },
    },
    { highWaterMark: 1 },
  );
}

async function sent(request: Promise<Response>): Promise<void> {
  const response = await request;
  if (response.status !== 201) throw new Error(`the upload failed: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** A process below another whose command line holds a text; of several the deepest, which runs and does not start. */
function processOf(ancestor: number, text: string): number {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(
    all.map((pid) => [pid, Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)]),
  );
  const depthOf = (pid: number): number => {
    const parent = parents.get(pid);
    if (parent === undefined || parent === 0) return -Infinity;
    return parent === ancestor ? 1 : depthOf(parent) + 1;
  };
  const [found] = all
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes(text) && depthOf(pid) > 0)
    .sort((a, b) => depthOf(b) - depthOf(a));
  if (found === undefined) throw new Error(`no process of ${text} was found`);
  return found;
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
