import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { ownCall } from '#lib/call-context';
import { workspaceCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { execCommand } from '#lib/contracts';
import { bundleProgram, freshBus, temporaryFolder } from '#lib/testing';
import { LocalWorkspaceDriver, type LocalDriverOptions } from '../../../src/sandboxes/local/local-driver.js';

/** A local driver with sandboxes of a runtime, on a bus and a data folder of its own. */
export async function localDriverFixture(runtime: LocalDriverOptions['runtime']) {
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
  /** For a command that takes the daemon away: no answer is to be had. */
  const runUnanswered = async (agentId: string, command: string) => {
    const input = { agentId, execId: randomUUID(), command, timeoutMs: 500, maxOutputBytes: 100 };
    await requestOverNats(connection, execCommand, input, ownCall('unanswered', 500)).catch(() => undefined);
  };
  return {
    bus,
    dataDir,
    daemonPath,
    connection,
    driver,
    another,
    runUnanswered,
    crash: (agentId: string) => runUnanswered(agentId, 'kill -9 $PPID'),
    async close() {
      await driver.close();
      await connection.close();
      bus.release();
    },
  };
}

export type LocalDriverFixture = Awaited<ReturnType<typeof localDriverFixture>>;
