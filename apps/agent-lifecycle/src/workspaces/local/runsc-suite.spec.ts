import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/transport-node';
import { workspaceCredentials } from '#lib/bus/credentials';
import { ownCall, requestOverNats } from '#lib/bus/rpc';
import { execCommand } from '#lib/contracts';
import { bundleProgram, type FreshBus, freshBus, temporaryFolder } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDriver } from '../testing/driver-suite.js';
import { specOf } from '../testing/workspace-spec.js';
import { LocalWorkspaceDriver } from './local-driver.js';
import { localRuntimes } from './local-runtimes.js';

const paths = { bwrap: '', runsc: process.env['ROOST_RUNSC'] || 'runsc' };
const runtime = await localRuntimes.runsc(paths);

if ('whyNot' in runtime) {
  console.log(`gVisor is not tried: ${runtime.whyNot}`);
  it.skip('the local driver with gVisor', () => undefined);
} else {
  /** A driver with gVisor on a bus of its own. */
  const makeBed = async () => {
    const bus = await freshBus();
    const dataDir = temporaryFolder();
    const daemonPath = await bundleProgram('apps/workspace/src/main.ts', join(dataDir, 'workspace-daemon.cjs'));
    const connection = await bus.connect();
    const another = () =>
      new LocalWorkspaceDriver({
        runtime,
        dataDir,
        natsUrl: bus.url,
        daemonPath,
        nats: connection,
        mintCredentials: (agentId) => workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3_600 }),
        logger: { warn: () => undefined, info: () => undefined },
      });
    const driver = another();
    const close = async () => {
      await driver.close();
      await connection.close();
      bus.release();
    };
    return { bus, dataDir, daemonPath, connection, driver, another, close };
  };

  describeDriver('the local driver with gVisor', { isWalled: true, kernel: 'gVisor' }, async () => {
    const bed = await makeBed();
    return { ...bed, crash: (agentId) => runBriefly(bed.connection, agentId, 'kill -9 $PPID') };
  });

  describe('a gVisor sandbox whose daemon hangs', () => {
    let bed: Awaited<ReturnType<typeof makeBed>>;
    beforeAll(async () => {
      bed = await makeBed();
    });
    afterAll(() => bed?.close());

    it('is ended all the same when it is put to sleep', async () => {
      const spec = specOf();
      await bed.driver.ensure(spec);
      await runBriefly(bed.connection, spec.agentId, 'kill -STOP $PPID');
      expect(processesOf(spec.agentId)).toBeGreaterThan(0);
      await bed.driver.sleep(spec.agentId);
      await expect.poll(() => processesOf(spec.agentId)).toBe(0);
    });

    it('ends with the process that made it, however that ends', async () => {
      const { agentId } = specOf();
      const fixture = 'apps/agent-lifecycle/src/workspaces/local/driver-process.fixture.ts';
      const child = spawn(
        process.execPath,
        [await bundleProgram(fixture, join(bed.dataDir, 'driver.mjs')), JSON.stringify(fixtureOptions(bed, agentId))],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(child.stdout, 'data');
      await runBriefly(bed.connection, agentId, 'kill -STOP $PPID');
      expect(processesOf(agentId)).toBeGreaterThan(0);
      child.kill('SIGKILL');
      await expect.poll(() => processesOf(agentId)).toBe(0);
      await bed.driver.ensure(specOf({ agentId }));
    });
  });
}

function fixtureOptions(bed: { bus: FreshBus; dataDir: string; daemonPath: string }, agentId: string) {
  const { bus, dataDir, daemonPath } = bed;
  return {
    agentId,
    runtime: { name: 'runsc', ...paths },
    dataDir,
    natsUrl: bus.url,
    daemonPath,
    seed: bus.accountSeed,
  };
}

/** For a command that takes the daemon away: no answer is to be had. */
async function runBriefly(connection: NatsConnection, agentId: string, command: string): Promise<void> {
  const input = { agentId, execId: randomUUID(), command, timeoutMs: 500, maxOutputBytes: 100 };
  await requestOverNats(connection, execCommand, input, ownCall('brief', 500)).catch(() => undefined);
}

/** Host processes of an agent's sandbox: their arguments name it. The process that was told to make it does too. */
function processesOf(agentId: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return /^\d+$/.test(pid) && command.includes(agentId) && !command.includes('driver.mjs');
    } catch {
      return false; // it ended meanwhile
    }
  }).length;
}
