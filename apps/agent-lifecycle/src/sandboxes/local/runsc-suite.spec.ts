import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleProgram } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeDriver } from '../../../test/drivers/driver-suite.js';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import { localRuntimes } from './local-runtimes.js';
import { type LocalDriverFixture, localDriverFixture } from '../../../test/drivers/local/local-driver-fixture.js';

const paths = { bwrap: '', runsc: process.env['ROOST_RUNSC'] || 'runsc' };
const runtime = await localRuntimes.runsc(paths);

if ('whyNot' in runtime) {
  const { whyNot } = runtime;
  it('the local driver with gVisor', ({ skip }) => {
    console.log(`gVisor is not tried: ${whyNot}`);
    skip(whyNot);
  });
} else {
  describeDriver('the local driver with gVisor', { isIsolated: true, kernel: 'gVisor' }, () =>
    localDriverFixture(runtime),
  );

  describe('a gVisor sandbox whose daemon hangs', () => {
    let fixture: LocalDriverFixture;
    beforeAll(async () => {
      fixture = await localDriverFixture(runtime);
    });
    afterAll(() => fixture?.close());

    it('is ended all the same when it is put to sleep', async () => {
      const spec = specOf();
      await fixture.driver.ensure(spec);
      await fixture.runUnanswered(spec.agentId, 'kill -STOP $PPID');
      expect(processesOf(spec.agentId)).toBeGreaterThan(0);
      await fixture.driver.sleep(spec.agentId);
      await expect.poll(() => processesOf(spec.agentId)).toBe(0);
    });

    it('ends with the process that made it, however that ends', async () => {
      const { agentId } = specOf();
      const program = 'apps/agent-lifecycle/test/drivers/local/driver-process.ts';
      const child = spawn(
        process.execPath,
        [
          await bundleProgram(program, join(fixture.dataDir, 'driver.mjs')),
          JSON.stringify(fixtureOptions(fixture, agentId)),
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(child.stdout, 'data');
      await fixture.runUnanswered(agentId, 'kill -STOP $PPID');
      expect(processesOf(agentId)).toBeGreaterThan(0);
      child.kill('SIGKILL');
      await expect.poll(() => processesOf(agentId)).toBe(0);
      await fixture.driver.ensure(specOf({ agentId }));
    });
  });
}

function fixtureOptions({ bus, dataDir, daemonPath }: LocalDriverFixture, agentId: string) {
  return {
    agentId,
    runtime: { name: 'runsc', ...paths },
    dataDir,
    natsUrl: bus.url,
    daemonPath,
    seed: bus.accountSeed,
  };
}

/** Host processes of an agent's sandbox: their arguments name it. The process that makes it does too. */
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
