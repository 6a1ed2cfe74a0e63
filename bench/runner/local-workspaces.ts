import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { ownCall } from '#lib/call-context';
import { accountCredentials, workspaceCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { execCommand } from '#lib/contracts';
import {
  localRuntimeNames,
  localRuntimes,
  LocalWorkspaceDriver,
} from '../../apps/agent-lifecycle/src/sandboxes/index.js';
import { findBubblewrap } from '../../tools/launcher/bubblewrap.js';
import { type Nats, startNats } from '../../tools/launcher/nats.js';

const Environment = z.object({
  ROOST_LOCAL_RUNTIME: z.enum(localRuntimeNames).default('bubblewrap'),
  ROOST_RUNSC: z.string().default('runsc'),
});

export interface LocalWorkspaces {
  driver: LocalWorkspaceDriver;
  nats: Nats;
  connection: NatsConnection;
  /** Runs a command in a workspace that is awake; its standard output. */
  run(agentId: string, command: string, timeoutMs: number): Promise<string>;
  /** Ends everything and removes what it left on the disk. */
  close(): Promise<void>;
}

/** A bus of its own and the local driver on it, for measurements; of the kind that ROOST_LOCAL_RUNTIME names. */
export async function localWorkspaces(
  more: Partial<ConstructorParameters<typeof LocalWorkspaceDriver>[0]> = {},
): Promise<LocalWorkspaces> {
  const dataDir = mkdtempSync(join(tmpdir(), 'roost-bench-'));
  const nats = await startNats({ dataDir, log: () => undefined });
  const seed = nats.accounts[0]?.seed ?? '';
  const authenticator = credsAuthenticator(new TextEncoder().encode(await accountCredentials(seed, 'bench')));
  const connection = await connect({ servers: nats.url, authenticator });
  const { ROOST_LOCAL_RUNTIME, ROOST_RUNSC } = Environment.parse(process.env);
  const runtime = await localRuntimes[ROOST_LOCAL_RUNTIME]({
    bwrap: (await findBubblewrap(console.error)).path,
    runsc: ROOST_RUNSC,
  });
  const driver = new LocalWorkspaceDriver({
    runtime,
    dataDir,
    natsUrl: nats.url,
    daemonPath: fileURLToPath(new URL('../../workspace-daemon.cjs', import.meta.url)),
    nats: connection,
    mintCredentials: (agentId) => workspaceCredentials(seed, agentId, { ttlSeconds: 3_600 }),
    logger: { warn: (fields, message) => console.error(message, fields), info: () => undefined },
    ...more,
  });
  return {
    driver,
    nats,
    connection,
    async run(agentId, command, timeoutMs) {
      const input = { agentId, execId: randomUUID(), command, timeoutMs, maxOutputBytes: 30_000 };
      const { stdout } = await requestOverNats(connection, execCommand, input, ownCall('bench', timeoutMs + 5_000));
      return stdout;
    },
    async close() {
      await driver.close();
      await connection.close();
      await nats.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
