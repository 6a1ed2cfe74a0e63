import { fileURLToPath } from 'node:url';
import type { DriverParts } from '../workspace-driver.js';
import { LocalWorkspaceDriver } from './local-driver.js';
import { localRuntimes } from './local-runtimes.js';

/** The bundle that the build leaves beside the services, seen from the source as from the build. */
const daemonPath = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/apps\/agent-lifecycle\/src\/.*$/, '/dist/workspace-daemon.cjs'),
);

/** Sandboxes on this machine. Where they cannot be made the driver refuses with the reason; it never runs without. */
export async function makeLocalDriver(parts: DriverParts): Promise<LocalWorkspaceDriver> {
  const { config, nats, logger, mintCredentials, egressAllowedRanges, grants, egressAuthority } = parts;
  const runtime = await localRuntimes[config.ROOST_LOCAL_RUNTIME]({
    bwrap: config.ROOST_BWRAP,
    runsc: config.ROOST_RUNSC,
  });
  return new LocalWorkspaceDriver({
    runtime:
      'whyNot' in runtime || mintCredentials
        ? runtime
        : { whyNot: 'workspaces cannot reach the bus: set NATS_ACCOUNT_SEED_FILE' },
    dataDir: config.ROOST_DATA_DIR,
    natsUrl: config.NATS_URL,
    mintCredentials: (agentId) => mintCredentials?.(agentId) ?? Promise.reject(new Error('no seed')),
    daemonPath,
    egressAllowedRanges,
    grants,
    egressAuthority,
    nats,
    logger,
  });
}
