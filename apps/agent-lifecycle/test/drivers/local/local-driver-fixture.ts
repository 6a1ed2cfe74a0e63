import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownCall } from '#lib/call-context';
import { workspaceCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { execCommand, pingWorkspace } from '#lib/contracts';
import { bundleProgram, freshBus, temporaryFolder, until } from '#lib/testing';
import { LocalWorkspaceDriver, type LocalDriverOptions } from '../../../src/sandboxes/local/local-driver.js';
import { localRuntimes } from '../../../src/sandboxes/local/local-runtimes.js';

/** bubblewrap, where the tests found it. */
export const bubblewrapRuntime = () => localRuntimes.bubblewrap({ bwrap: process.env['ROOST_TEST_BWRAP'], runsc: '' });

/** A local driver with sandboxes of a runtime, on a bus and a data folder of its own. */
export async function localDriverFixture(
  runtime: LocalDriverOptions['runtime'],
  more: Pick<LocalDriverOptions, 'egressAllowedRanges' | 'grants' | 'egressAuthority' | 'egressNodeArguments'> = {},
) {
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
      ...more,
    });
  const driver = another();
  /** For a command that takes the daemon away, so that no answer comes: resolves when the daemon answers no more. */
  const runUnanswered = async (agentId: string, command: string) => {
    const input = { agentId, execId: randomUUID(), command, timeoutMs: 60_000, maxOutputBytes: 100 };
    requestOverNats(connection, execCommand, input, ownCall('unanswered', 60_000)).catch(() => undefined);
    const isSilent = () =>
      requestOverNats(connection, pingWorkspace, { agentId }, ownCall('ping', 2_000)).then(
        () => false,
        () => true,
      );
    await until('the daemon answers no more', isSilent);
  };
  return {
    bus,
    dataDir,
    daemonPath,
    connection,
    driver,
    another,
    run(
      agentId: string,
      command: string,
      options: Partial<{ timeoutMs: number; execId: string; maxOutputBytes: number }> = {},
    ) {
      const input = { agentId, execId: randomUUID(), command, timeoutMs: 20_000, maxOutputBytes: 30_000, ...options };
      const patienceMs = Math.max(60_000, input.timeoutMs + 10_000);
      return requestOverNats(connection, execCommand, input, ownCall(`req_${randomUUID()}`, patienceMs));
    },
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

/** Host processes whose command line holds the text: the arguments of a sandbox's first process name the agent. */
export function processesOf(text: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // it ended meanwhile
    }
  }).length;
}
