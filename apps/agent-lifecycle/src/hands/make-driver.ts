import type { Bus } from '#lib/bus';
import { workspaceCredentials } from '#lib/bus/credentials';
import type { Logger } from '#lib/observability';
import { fileURLToPath } from 'node:url';
import type { LifecycleConfig } from '../config.js';
import { LocalWorkspaceDriver, type WorkspaceDriver } from '../workspaces/index.js';

/** Injection token of the driver. */
export const DRIVER = Symbol('lifecycle:driver');

/** Renewed by the driver at each connection; a workspace that outlives them reconnects with new ones. */
const CREDENTIALS_TTL_SECONDS = 24 * 3600;
/** The bundle that the build leaves beside the services, seen from the source as from the build. */
const daemonPath = fileURLToPath(
  import.meta.url.replace(/(\/dist)?\/apps\/agent-lifecycle\/src\/.*$/, '/dist/workspace-daemon.mjs'),
);

/** Sandboxes on this machine. Where they cannot be had the driver refuses with the reason; it never runs without. */
export function makeDriver(config: LifecycleConfig, bus: Bus, logger: Logger): WorkspaceDriver {
  const { ROOST_BWRAP: bwrap, NATS_ACCOUNT_SEED: seed } = config;
  const reason = bwrap && !seed ? 'workspaces cannot reach the bus: set NATS_ACCOUNT_SEED_FILE' : undefined;
  return new LocalWorkspaceDriver({
    bwrapPath: seed ? bwrap : undefined,
    reason,
    dataDir: config.ROOST_DATA_DIR,
    natsUrl: config.NATS_URL,
    mintCredentials: (agentId) => workspaceCredentials(seed ?? '', agentId, { ttlSeconds: CREDENTIALS_TTL_SECONDS }),
    daemonPath,
    egressAllowedRanges: config.ROOST_EGRESS_ALLOWED_RANGES?.split(',').map((range) => range.trim()),
    nats: bus.connection,
    logger,
  });
}

/** Whether this service can make any workspace at all; trying again does not help until it is restarted. */
export function canMakeWorkspaces(config: LifecycleConfig): boolean {
  return Boolean(config.ROOST_BWRAP && config.NATS_ACCOUNT_SEED);
}
