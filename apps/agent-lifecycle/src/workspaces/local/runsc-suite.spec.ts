import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDriver } from '../testing/driver-suite.js';
import { specOf } from '../testing/workspace-spec.js';
import { localRuntimes } from './local-runtimes.js';
import { type LocalBed, localBed } from './testing/local-bed.js';

const paths = { bwrap: '', runsc: process.env['ROOST_RUNSC'] || 'runsc' };
const runtime = await localRuntimes.runsc(paths);

if ('whyNot' in runtime) {
  const { whyNot } = runtime;
  it('the local driver with gVisor', ({ skip }) => {
    console.log(`gVisor is not tried: ${whyNot}`);
    skip(whyNot);
  });
} else {
  describeDriver('the local driver with gVisor', { isWalled: true, kernel: 'gVisor' }, () => localBed(runtime));

  describe('a gVisor sandbox whose daemon hangs', () => {
    let bed: LocalBed;
    beforeAll(async () => {
      bed = await localBed(runtime);
    });
    afterAll(() => bed?.close());

    it('is ended all the same when it is put to sleep', async () => {
      const spec = specOf();
      await bed.driver.ensure(spec);
      await bed.runUnanswered(spec.agentId, 'kill -STOP $PPID');
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
      await bed.runUnanswered(agentId, 'kill -STOP $PPID');
      expect(processesOf(agentId)).toBeGreaterThan(0);
      child.kill('SIGKILL');
      await expect.poll(() => processesOf(agentId)).toBe(0);
      await bed.driver.ensure(specOf({ agentId }));
    });
  });
}

function fixtureOptions({ bus, dataDir, daemonPath }: LocalBed, agentId: string) {
  return {
    agentId,
    runtime: { name: 'runsc', ...paths },
    dataDir,
    natsUrl: bus.url,
    daemonPath,
    seed: bus.accountSeed,
  };
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
