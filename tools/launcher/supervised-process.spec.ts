import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder, until } from '#lib/testing';
import { supervise, type SupervisedProcess } from './supervised-process.js';

const hasChrt = process.platform === 'linux' && spawnSync('chrt', ['--version']).status === 0;

describe('a supervised server', () => {
  let server: SupervisedProcess | undefined;
  const start = async () =>
    (server = await supervise({
      name: 'sleep',
      spawn: () => spawn('sleep', ['60']),
      whenReady: async () => undefined,
      describeFailure: () => '',
      stopSignals: ['SIGTERM'],
      stopGraceMs: 1_000,
      orphanSignal: 'SIGTERM',
      isServer: true,
      log: () => undefined,
    }));
  afterEach(() => server?.stop());

  it('comes after the services on a full machine', async () => {
    const { pid } = await start();
    expect(getPriority(pid)).toBe(5);
  });

  it.skipIf(!hasChrt)(
    'takes no core from what wakes it, as a batch process, also after it was started again',
    async () => {
      const running = await start();
      const first = running.pid!;
      expect(policyOf(first)).toBe(SCHED_BATCH);
      process.kill(first, 'SIGKILL');
      const second = await until('it runs again', () => (running.pid !== first ? running.pid : undefined));
      expect(policyOf(second)).toBe(SCHED_BATCH);
    },
  );
});

it('what cannot be started again is given up after so many tries in a row, with the reason', async () => {
  const mark = join(temporaryFolder(), 'started');
  const lines: string[] = [];
  const givenUp: string[] = [];
  let starts = 0;
  const server = await supervise({
    name: 'fickle',
    // Starts once and never again.
    spawn: () => spawn('/bin/sh', ['-c', '[ -e "$0" ] && exit 3; : > "$0"; exec sleep 60', mark]),
    whenReady: (child) => (starts++ === 0 ? Promise.resolve() : new Promise((done) => child.once('never', done))),
    describeFailure: () => 'No reason is known.',
    stopSignals: ['SIGTERM'],
    stopGraceMs: 1_000,
    orphanSignal: 'SIGTERM',
    isServer: false,
    maxFailedStarts: 3,
    log: (line) => lines.push(line),
    onGivenUp: ({ message }) => givenUp.push(message),
  });
  await until('it has begun', () => existsSync(mark));
  process.kill(server.pid!, 'SIGKILL');
  await until('it is given up', () => givenUp.length > 0);
  expect(givenUp).toEqual(['fickle failed to start 3 times. fickle did not start (exit code 3). No reason is known.']);
  expect(lines.filter((line) => line.includes('did not start'))).toHaveLength(3);
  await server.stop();
});

/** sched(7) */
const SCHED_BATCH = 3;

function policyOf(pid: number): number {
  // proc(5): the 41st field of stat; the command in the 2nd may hold blanks.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}
