import { STREAM_PART_BYTES } from '#lib/contracts';
import { startBenchRoost } from './runner/bench-roost.js';
import { type Figure, Options } from './runner/bench.js';
import { processOf, residentBytes } from './runner/processes.js';

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
      ['daemon', processOf(roost.pid, 'workspace-daemon.')],
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
