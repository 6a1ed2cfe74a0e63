import { fileURLToPath } from 'node:url';
import type { DriverParts } from '../driver-kinds.js';
import { LocalWorkspaceDriver } from './local-driver.js';

/** The bundle that the build leaves beside the services, seen from the source as from the build. */
const daemonPath = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/apps\/agent-lifecycle\/src\/.*$/, '/dist/workspace-daemon.cjs'),
);

/** Sandboxes on this machine. Where they cannot be had the driver refuses with the reason; it never runs without. */
export function makeLocalDriver({ config, nats, logger, mintCredentials }: DriverParts): LocalWorkspaceDriver {
  const { ROOST_BWRAP: bwrap } = config;
  return new LocalWorkspaceDriver({
    bwrapPath: mintCredentials && bwrap,
    reason: bwrap && !mintCredentials ? 'workspaces cannot reach the bus: set NATS_ACCOUNT_SEED_FILE' : undefined,
    dataDir: config.ROOST_DATA_DIR,
    natsUrl: config.NATS_URL,
    mintCredentials: (agentId) => mintCredentials?.(agentId) ?? Promise.reject(new Error('no seed')),
    daemonPath,
    egressAllowedRanges: config.ROOST_EGRESS_ALLOWED_RANGES?.split(',').map((range) => range.trim()),
    nats,
    logger,
  });
}
