import type { Bus } from '#lib/bus';
import { workspaceCredentials } from '#lib/nats-auth';
import type { Logger } from '#lib/observability';
import type { LifecycleConfig } from '../config.js';
import { driverKinds, type WorkspaceDriver } from '../sandboxes/index.js';

/** Injection token of the driver. */
export const DRIVER = Symbol('lifecycle:driver');

/** Renewed by the driver at each connection; a workspace that outlives them reconnects with new ones. */
const CREDENTIALS_TTL_SECONDS = 24 * 3600;

/** The driver that the configuration names. One that cannot work here refuses each workspace with the reason. */
export async function makeDriver(config: LifecycleConfig, bus: Bus, logger: Logger): Promise<WorkspaceDriver> {
  const { NATS_ACCOUNT_SEED: seed } = config;
  const make = await driverKinds[config.ROOST_WORKSPACE_DRIVER]();
  return make({
    config,
    nats: bus.connection,
    logger,
    credentialsTtlSeconds: CREDENTIALS_TTL_SECONDS,
    egressAllowedRanges: config.ROOST_EGRESS_ALLOWED_RANGES?.split(',').map((range) => range.trim()),
    mintCredentials:
      seed === undefined
        ? undefined
        : (agentId) => workspaceCredentials(seed, agentId, { ttlSeconds: CREDENTIALS_TTL_SECONDS }),
  });
}
