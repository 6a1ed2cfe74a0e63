import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readdirSync, readFileSync } from 'node:fs';
import { ownCall } from '#lib/call-context';
import { requestOverNats } from '#lib/rpc';
import * as contract from '#lib/contracts';
import type { LocalWorkspaceDriver, WorkspaceSpec } from '../apps/agent-lifecycle/src/sandboxes/index.js';
import type { Figure, Options } from './runner/bench.js';
import { localWorkspaces } from './runner/local-workspaces.js';
import { quantile } from './runner/quantile.js';

export const name = 'workspaces';

interface TestBed {
  connection: NatsConnection;
  driver: LocalWorkspaceDriver;
}

/**
 * Figures of local workspaces, each beside its floor: cold wake, the room an awake workspace takes, a small read against
 * a plain NATS request, a large file up and down. Options: only=wake,read,large,many (all), many=200.
 */
export async function run(options: Options): Promise<Figure[]> {
  const { driver, connection, close } = await localWorkspaces();
  const fixture = { connection, driver };
  try {
    const wanted = (options.text('only') ?? 'wake,read,large,many').split(',');
    const figures: Figure[] = [];
    if (wanted.includes('wake')) figures.push(...(await measureWake(fixture)));
    if (wanted.includes('read')) figures.push(...(await measureRead(fixture)));
    if (wanted.includes('large')) figures.push(...(await measureLarge(fixture)));
    if (wanted.includes('many')) figures.push(...(await measureMany(fixture, options.number('many', 200))));
    return figures;
  } finally {
    await close();
  }
}

async function measureWake({ driver }: TestBed): Promise<Figure[]> {
  const agentId = randomUUID();
  await driver.ensure(specOf(agentId));
  const times: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    await driver.sleep(agentId);
    // The kernel gives the volume back a moment after the last process; a cold workspace has long been without it.
    await sleep(500);
    times.push(await timed(() => driver.ensure(specOf(agentId))));
  }
  await driver.sleep(agentId);
  return [
    { what: 'cold wake, nothing running → first answer, p50', value: quantile(times, 0.5), unit: 'ms' },
    { what: 'cold wake, p95', value: quantile(times, 0.95), unit: 'ms' },
    { what: 'processes of a sleeping workspace', value: processesOf(agentId).length, unit: '' },
  ];
}

async function measureRead({ connection, driver }: TestBed): Promise<Figure[]> {
  const agentId = await awake(driver);
  await ask(connection, contract.writeFile, {
    agentId,
    path: 'f',
    content: 'x'.repeat(4_096),
    encoding: 'utf-8',
    overwrite: true,
  });
  const echo = connection.subscribe('bench.echo', { callback: (_, message) => void message.respond(message.data) });
  const payload = 'x'.repeat(4_096);
  const plain = await sample(2_000, () => connection.request('bench.echo', payload));
  const ping = await sample(2_000, () => ask(connection, contract.pingWorkspace, { agentId }));
  const read = await sample(2_000, () => ask(connection, contract.readFile, { agentId, path: 'f', encoding: 'utf-8' }));
  echo.unsubscribe();
  await driver.sleep(agentId);
  return [
    { what: 'plain NATS request of 4 KiB, p50', value: quantile(plain, 0.5), unit: 'ms' },
    { what: 'plain NATS request of 4 KiB, p99', value: quantile(plain, 0.99), unit: 'ms' },
    { what: 'ping of a workspace, p50', value: quantile(ping, 0.5), unit: 'ms' },
    { what: 'ping of a workspace, p99', value: quantile(ping, 0.99), unit: 'ms' },
    { what: 'read of a 4 KiB file, p50', value: quantile(read, 0.5), unit: 'ms' },
    { what: 'read of a 4 KiB file, p99', value: quantile(read, 0.99), unit: 'ms' },
    { what: 'read / plain request', value: quantile(read, 0.5) / quantile(plain, 0.5), unit: '×' },
  ];
}

async function measureLarge({ connection, driver }: TestBed): Promise<Figure[]> {
  const agentId = await awake(driver);
  const bytes = 2 ** 30;
  const data = Buffer.alloc(contract.STREAM_PART_BYTES, 'roost ');
  const parts = bytes / contract.STREAM_PART_BYTES;
  const before = { own: process.memoryUsage.rss(), daemon: peakOf(agentId) };
  let peak = before.own;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const up = await timed(async () => {
    const { streamId } = await ask(connection, contract.openWriteStream, {
      agentId,
      path: 'large',
      target: 'file',
      overwrite: true,
    });
    await inOrder(parts, (part) => ask(connection, contract.writeStream, { agentId, streamId, part, data }));
    await ask(connection, contract.finishWriteStream, { agentId, streamId });
  });
  const down = await timed(async () => {
    const { streamId } = await ask(connection, contract.openReadStream, {
      agentId,
      path: 'large',
      source: 'file',
      offset: 0,
    });
    await inOrder(parts, (part) => ask(connection, contract.readStream, { agentId, streamId, part }));
    await ask(connection, contract.closeStream, { agentId, streamId });
  });
  clearInterval(watch);
  const daemonBytes = peakOf(agentId) - before.daemon;
  await driver.remove(agentId);
  return [
    { what: '1 GiB up', value: bytes / 2 ** 20 / (up / 1_000), unit: 'MiB/s' },
    { what: '1 GiB down', value: bytes / 2 ** 20 / (down / 1_000), unit: 'MiB/s' },
    { what: 'memory for it, here', value: mib(peak - before.own), unit: 'MiB' },
    { what: "memory for it, the daemon's peak", value: mib(daemonBytes), unit: 'MiB' },
  ];
}

async function measureMany({ driver }: TestBed, count: number): Promise<Figure[]> {
  const agents = Array.from({ length: count }, () => randomUUID());
  const time = await timed(async () => {
    for (let at = 0; at < count; at += 4)
      await Promise.all(agents.slice(at, at + 4).map((agentId) => driver.ensure(specOf(agentId))));
  });
  const sizes = agents.map((agentId) => processesOf(agentId).reduce((sum, pid) => sum + pssOf(pid), 0));
  return [
    { what: `${count} workspaces awake in`, value: time / 1_000, unit: 's' },
    { what: 'PSS of each, p50', value: mib(quantile(sizes, 0.5)), unit: 'MiB' },
    { what: 'PSS of each, largest', value: mib(Math.max(...sizes)), unit: 'MiB' },
    { what: 'PSS of all', value: mib(sizes.reduce((a, b) => a + b, 0)), unit: 'MiB' },
  ];
}

function specOf(agentId: string): WorkspaceSpec {
  return { agentId, accountId: agentId, volumeBytes: 2 ** 31, env: {}, network: { mode: 'none' } };
}

async function awake(driver: LocalWorkspaceDriver): Promise<string> {
  const agentId = randomUUID();
  await driver.ensure(specOf(agentId));
  return agentId;
}

function ask<C extends contract.RequestContract>(
  via: NatsConnection,
  asked: C,
  input: Parameters<typeof requestOverNats<C['input'], C['output']>>[2],
) {
  return requestOverNats<C['input'], C['output']>(
    via,
    asked as contract.RequestContract<C['input'], C['output']>,
    input,
    ownCall('bench', 60_000),
  );
}

/** Two requests under way at a time, in order. */
async function inOrder(count: number, request: (part: number) => Promise<unknown>): Promise<void> {
  let ahead: Promise<unknown> = Promise.resolve();
  for (let part = 0; part < count; part += 1) {
    const next = request(part);
    await ahead;
    ahead = next;
  }
  await ahead;
}

async function sample(count: number, work: () => Promise<unknown>): Promise<number[]> {
  for (let warm = 0; warm < 200; warm += 1) await work();
  const times: number[] = [];
  for (let round = 0; round < count; round += 1) times.push(await timed(work));
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** The processes of an agent's sandbox: those with its mark, and what they started. */
function processesOf(agentId: string): number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(
    all.map((pid) => [pid, Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)]),
  );
  const found = new Set(all.filter((pid) => read(`/proc/${pid}/cmdline`).includes(agentId)));
  for (const pid of all) if (found.has(parents.get(pid) ?? 0)) found.add(pid);
  return [...found];
}

function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1_024;
}

function peakOf(agentId: string): number {
  return Math.max(
    0,
    ...processesOf(agentId).map(
      (pid) => Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024,
    ),
  );
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}

function mib(bytes: number): number {
  return bytes / 2 ** 20;
}
