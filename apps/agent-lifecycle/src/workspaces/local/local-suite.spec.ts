import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { workspaceCredentials } from '#lib/bus/credentials';
import { ownCall, requestOverNats } from '#lib/bus/rpc';
import { execCommand } from '#lib/contracts';
import { bundleProgram, freshBus, temporaryFolder } from '#lib/testing';
import { describeDriver } from '../testing/driver-suite.js';
import { LocalWorkspaceDriver } from './local-driver.js';
import { localRuntimes } from './local-runtimes.js';

describeDriver('the local driver', { isWalled: true }, async () => {
  const bus = await freshBus();
  const dataDir = temporaryFolder();
  const daemonPath = await bundleProgram('apps/workspace/src/main.ts', join(dataDir, 'workspace-daemon.cjs'));
  const connection = await bus.connect();
  const runtime = await localRuntimes.bubblewrap({ bwrap: process.env['ROOST_TEST_BWRAP'], runsc: '' });
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
  return {
    driver,
    connection,
    another,
    async crash(agentId) {
      const input = { agentId, execId: randomUUID(), command: 'kill -9 $PPID', timeoutMs: 500, maxOutputBytes: 100 };
      await requestOverNats(connection, execCommand, input, ownCall('crash', 500)).catch(() => undefined);
    },
    async close() {
      await driver.close();
      await connection.close();
      bus.release();
    },
  };
});
