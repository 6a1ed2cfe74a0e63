import { randomUUID } from 'node:crypto';
import {
  abuseLimits,
  answeredByGvisor,
  probeFixture,
  passed,
  probeTable,
  runProbes,
} from '../apps/agent-lifecycle/test/probes/index.js';
import { localWorkspaces } from './runner/local-workspaces.js';
import { probePlatform } from './runner/platform-probes.js';

/**
 * `npm run probes`: the table of tries to get out of a local workspace, of the kind that ROOST_LOCAL_RUNTIME names, and
 * to make the platform pay for little. Ends with code 1 when any passed. As root.
 */
const platform = await probePlatform();
const { driver, nats, run, close } = await localWorkspaces();
const fixture = await probeFixture(Number(new URL(nats.url).port));
try {
  const agentId = randomUUID();
  const { volumeBytes, ...resources } = abuseLimits;
  const spec = { agentId, accountId: agentId, volumeBytes, env: {}, resources, network: { mode: 'public' as const } };
  const sandboxed = await runProbes({
    fixture,
    async runInSandbox(command, timeoutMs) {
      await driver.ensure(spec);
      // A workspace that does not survive a probe says nothing more; the next one wakes it again.
      return run(agentId, command, timeoutMs).catch(() => '');
    },
  });
  const results = [...sandboxed, ...platform];
  const isolation = await driver.isolation();
  const harmless = isolation['runtime']?.startsWith('gVisor') ? answeredByGvisor : {};
  console.log(JSON.stringify(isolation));
  console.log(probeTable(results, harmless));
  if (passed(results, harmless).length > 0) process.exitCode = 1;
} finally {
  await fixture.clear();
  await close();
}
