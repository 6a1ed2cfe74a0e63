import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeEgressAuthority } from '../apps/agent-lifecycle/src/sandboxes/egress/authority.js';
import { specOf } from '../apps/agent-lifecycle/test/drivers/driver-under-test.js';
import { startBulkHost } from '../test/egress/bulk-host.js';
import { grant, startEgress, zone } from '../test/egress/egress-fixture.js';
import { type Figure, type Options } from './runner/bench.js';
import { localWorkspaces } from './runner/local-workspaces.js';
import { processesOf, residentBytes } from './runner/processes.js';
import { quantile } from './runner/quantile.js';

export const name = 'egress';

const part = Buffer.alloc(256 * 1024);
type Way = 'down' | 'up';
/** Sends or fetches the body once; seconds. */
type Transfer = (way: Way) => Promise<number>;

/**
 * A large body up and down over TLS to a host of this machine, in a process of its own: directly, and where the egress
 * process puts a credential on the request. At the process itself, and by curl in a workspace. The ratio is the median of
 * pairs, since other work on the machine changes both alike. Options: mebibytes=1024, pairs=3, only=process or workspace.
 */
export async function run(options: Options): Promise<Figure[]> {
  const mebibytes = options.number('mebibytes', 1_024);
  const bytes = mebibytes * 2 ** 20;
  const pairs = options.number('pairs', 3);
  const only = options.text('only') ?? '';
  const authority = await makeEgressAuthority();
  const host = await startBulkHost({ authority, name: `api.${zone}` });
  const egress = await startEgress({ authority });
  const one = grant([host.host]);
  const task: Task = { bytes, host: host.host, placeholder: one.placeholder ?? '', authority: authority.certificate };
  const figures: Figure[] = [];
  try {
    if (only !== 'workspace') {
      await egress.grant('agent', [one]);
      const direct = bySocket(task, () => directly(task, host.port));
      const through = bySocket(task, () => egress.tls('agent', host.host));
      figures.push(...(await compare('at the egress process', { mebibytes, pairs, direct, through })));
    }
    if (only !== 'process') {
      const workspaces = await localWorkspaces(egress.driverOptions);
      const agentId = randomUUID();
      await egress.grant(agentId, [one]);
      const spec = specOf({ agentId, env: { TOKEN: task.placeholder } });
      await workspaces.driver.ensure({ ...spec, network: { mode: 'public' } });
      const inside = (command: string) => workspaces.run(agentId, command, 600_000);
      const through = byCurl(task, inside, '-H "Authorization: Bearer $TOKEN"');
      const folder = mkdtempSync(join(tmpdir(), 'roost-bench-egress-'));
      writeFileSync(join(folder, 'hosts.pem'), task.authority);
      const outside = async (command: string) => (await promisify(execFile)('bash', ['-c', command])).stdout;
      const direct = byCurl(
        task,
        outside,
        `--noproxy '*' --cacert ${folder}/hosts.pem --resolve ${task.host}:127.0.0.1`,
      );
      try {
        figures.push(...(await compare('by curl in a workspace', { mebibytes, pairs, direct, through })));
      } finally {
        await workspaces.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }
  } finally {
    await egress.close();
    host.close();
  }
  return figures;
}

interface Task {
  bytes: number;
  host: string;
  placeholder: string;
  authority: string;
}

interface Comparison {
  mebibytes: number;
  pairs: number;
  direct: Transfer;
  through: Transfer;
}

async function compare(where: string, { mebibytes, pairs, direct, through }: Comparison): Promise<Figure[]> {
  await through('down'); // connections are known and code is compiled
  const pids = processesOf(process.pid, 'egress-proxy.mjs');
  const resident = () => Math.max(...pids.map(residentBytes));
  const before = resident();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, resident())), 20);
  const figures: Figure[] = [];
  for (const way of ['down', 'up'] as const) {
    const times: { direct: number; through: number }[] = [];
    for (let pair = 0; pair < pairs; pair += 1) times.push({ direct: await direct(way), through: await through(way) });
    const ratios = times.map((time) => time.direct / time.through);
    const what = `${mebibytes} MiB ${way}`;
    figures.push(
      {
        what: `${what}, directly`,
        value:
          mebibytes /
          quantile(
            times.map((time) => time.direct),
            0.5,
          ),
        unit: 'MiB/s',
      },
      { what: `${what}, of that ${where}`, value: quantile(ratios, 0.5), unit: 'of direct', atLeast: 0.5 },
    );
  }
  clearInterval(watch);
  const more = (peak - before) / 2 ** 20;
  return [...figures, { what: `extra memory of the egress process, ${where}`, value: more, unit: 'MiB', atMost: 128 }];
}

async function directly({ host, authority }: Task, port: number): Promise<TLSSocket> {
  const secureContext = createSecureContext({ ca: authority });
  const socket = connect({ host: '127.0.0.1', port, servername: host.replace(/:\d+$/, ''), secureContext });
  await once(socket, 'secureConnect');
  return socket;
}

function bySocket({ bytes, host, placeholder }: Task, open: () => Promise<TLSSocket>): Transfer {
  return async (way) => {
    const socket = await open();
    const startedAt = performance.now();
    const [method, length] = way === 'down' ? ['GET', 0] : ['PUT', bytes];
    socket.write(
      `${method} /?bytes=${bytes} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\nauthorization: Bearer ${placeholder}\r\ncontent-length: ${length}\r\n\r\n`,
    );
    if (way === 'up') void write(socket, bytes);
    let received = 0;
    let last = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received += chunk.length;
      last = chunk.toString('latin1').slice(-20);
    }
    if (way === 'down' ? received < bytes : !last.endsWith(String(bytes))) throw new Error(`not all went ${way}`);
    return (performance.now() - startedAt) / 1_000;
  };
}

async function write(to: NodeJS.WritableStream, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= part.length)
    if (!to.write(left < part.length ? part.subarray(0, left) : part)) await once(to, 'drain');
}

function byCurl({ bytes, host }: Task, run: (command: string) => Promise<string>, options: string): Transfer {
  const written = '%{size_download} %{size_upload} %{time_total}';
  return async (way) => {
    const body = way === 'up' ? `-T - -o /dev/null https://${host}/` : `-o /dev/null 'https://${host}/?bytes=${bytes}'`;
    const said = await run(
      `head -c ${way === 'up' ? bytes : 0} /dev/zero | curl -sS -w '${written}' ${options} ${body}`,
    );
    const [down = 0, up = 0, seconds = 0] = said.split(' ').map(Number);
    if ((way === 'down' ? down : up) < bytes) throw new Error(`not all went ${way}: ${said}`);
    return seconds;
  };
}
