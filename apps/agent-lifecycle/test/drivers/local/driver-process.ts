import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { z } from 'zod';
import { accountCredentials, workspaceCredentials } from '#lib/nats-auth';
import { LocalWorkspaceDriver } from '../../../src/sandboxes/local/local-driver.js';
import { localRuntimeNames } from '../../../src/sandboxes/driver-names.js';
import { localRuntimes } from '../../../src/sandboxes/local/local-runtimes.js';

/** A process that holds one workspace until it is killed, for the test of what is left then. */
const { agentId, runtime, dataDir, natsUrl, daemonPath, seed, resources } = z
  .object({
    agentId: z.string(),
    runtime: z.object({ name: z.enum(localRuntimeNames), bwrap: z.string(), runsc: z.string() }),
    dataDir: z.string(),
    natsUrl: z.string(),
    daemonPath: z.string(),
    seed: z.string(),
    resources: z.object({ memory: z.string() }).optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));
const authenticator = credsAuthenticator(new TextEncoder().encode(await accountCredentials(seed, 'test')));
const nats = await connect({ servers: natsUrl, authenticator });
const driver = new LocalWorkspaceDriver({
  runtime: await localRuntimes[runtime.name](runtime),
  dataDir,
  natsUrl,
  daemonPath,
  nats,
  mintCredentials: (id) => workspaceCredentials(seed, id, { ttlSeconds: 3_600 }),
  logger: { warn: () => undefined, info: () => undefined },
});
await driver.ensure({
  agentId,
  accountId: agentId,
  volumeBytes: 2 ** 30,
  env: {},
  network: { mode: 'none' },
  ...(resources ? { resources } : {}),
});
process.stdout.write(`awake ${JSON.stringify(await driver.isolation())}\n`);
