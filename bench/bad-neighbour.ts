import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { ownCall } from '#lib/call-context';
import { accountCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { cancelExec, execCommand } from '#lib/contracts';
import { accountSeedOf, type BenchRoost, startBenchRoost } from './runner/bench-roost.js';
import type { Figure, Options } from './runner/bench.js';
import { quantile } from './runner/quantile.js';

export const name = 'bad-neighbour';

/** What the bad neighbour runs, each at once with the others: processor, processes, memory, disk, files. */
const abuses = [
  'while :; do :; done & while :; do :; done & while :; do :; done & while :; do :; done',
  `while :; do perl -e 'for (1 .. 600) { $p = fork; last unless defined $p; if (!$p) { sleep 1; exit } }'; sleep 0.2; done`,
  `while :; do perl -e '$a = "x" x 900_000_000'; done`,
  'while :; do head -c 2000000000 /dev/zero > big 2> /dev/null; rm -f big; done',
  `while :; do perl -e 'mkdir "m"; for (1 .. 50000) { open(F, ">", "m/$_") or last }'; rm -rf m; done`,
  'while :; do cat /dev/urandom | head -c 100000000 > /dev/null; done',
];

/** So that what else the machine does falls on both sides alike. */
const rounds = 4;

/**
 * Reads and writes of one agent's files over HTTP, in turns quiet and beside an agent whose commands take all they can
 * get. Options: requests=1000.
 */
export async function run(options: Options): Promise<Figure[]> {
  const requests = options.number('requests', 1_000);
  const roost = await startBenchRoost(options);
  const connection = await busOf(roost);
  try {
    const [good, bad] = [await makeAgent(roost), await makeAgent(roost)];
    await measure(roost, good, 100);
    await measure(roost, bad, 1);
    const [quiet, beside]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      quiet.push(...(await measure(roost, good, Math.ceil(requests / rounds))));
      const endAbuse = abuse(connection, bad);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      beside.push(...(await measure(roost, good, Math.ceil(requests / rounds))));
      await endAbuse();
    }
    const ratio = quantile(beside, 0.99) / quantile(quiet, 0.99);
    return [
      { what: 'file request, quiet, p50', value: quantile(quiet, 0.5), unit: 'ms' },
      { what: 'file request, quiet, p99', value: quantile(quiet, 0.99), unit: 'ms' },
      { what: 'file request beside a bad neighbour, p50', value: quantile(beside, 0.5), unit: 'ms' },
      { what: 'file request beside a bad neighbour, p99', value: quantile(beside, 0.99), unit: 'ms' },
      { what: 'p99 beside a bad neighbour ÷ quiet', value: ratio, unit: '×', atMost: 2 },
    ];
  } finally {
    await connection.close();
    await roost.stop();
  }
}

/** Starts every abuse at once; the result ends them and resolves when they are gone. */
function abuse(connection: NatsConnection, agentId: string): () => Promise<void> {
  const runs = abuses.map((command) => {
    const execId = randomUUID();
    const input = { agentId, execId, command, timeoutMs: 600_000, maxOutputBytes: 1_000 };
    // Refused or lost where the workspace went down with what ran in it.
    const ended = requestOverNats(connection, execCommand, input, ownCall('bench', 610_000)).catch(() => undefined);
    return { execId, ended };
  });
  return async () => {
    for (const { execId } of runs)
      await requestOverNats(connection, cancelExec, { agentId, execId }, ownCall('bench', 30_000)).catch(
        () => undefined, // it ended by itself, or its workspace did
      );
    await Promise.race([
      Promise.all(runs.map(({ ended }) => ended)),
      new Promise((resolve) => setTimeout(resolve, 10_000)),
    ]);
  };
}

async function measure({ api }: BenchRoost, agentId: string, requests: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < requests; round += 1) {
    const path = `/v1/agent/${agentId}/filesystem/files/f${round % 10}`;
    const startedAt = performance.now();
    const { status } =
      round % 2 === 0
        ? await api('POST', path, { content: 'x'.repeat(4_096), overwrite: true })
        : await api('GET', `/v1/agent/${agentId}/filesystem/files/f${(round - 1) % 10}`);
    times.push(performance.now() - startedAt);
    if (status !== 200 && status !== 201) throw new Error(`a file request failed: ${status}`);
  }
  return times;
}

async function makeAgent({ api }: BenchRoost): Promise<string> {
  const { status, body } = await api<{ id: string }>('POST', '/v1/agent/create', {
    name: 'neighbour',
    configuration: { resources: { cpu: '500m', memory: '512Mi' } },
  });
  if (status !== 201) throw new Error(`an agent could not be made: ${status} ${JSON.stringify(body)}`);
  return body.id;
}

/** As a service: users cannot run commands but through an agent's model. */
async function busOf(roost: BenchRoost): Promise<NatsConnection> {
  const credentials = await accountCredentials(accountSeedOf(roost.dataDir), 'bench');
  const authenticator = credsAuthenticator(new TextEncoder().encode(credentials));
  return connect({ servers: roost.natsUrl, authenticator });
}
