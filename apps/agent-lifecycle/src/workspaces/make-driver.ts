import type { Bus } from '#lib/bus';
import { workspaceCredentials } from '#lib/nats-auth';
import type { Logger } from '#lib/observability';
import type { Sealer } from '#lib/auth';
import type { Database } from '#lib/database';
import type { LifecycleConfig } from '../config.js';
import { driverKinds, type WorkspaceDriver } from '../sandboxes/index.js';
import type { GrantSource } from '../sandboxes/egress/grant-source.js';
import { storedAuthority } from './stored-authority.js';

/** Injection token of the driver. */
export const DRIVER = Symbol('lifecycle:driver');

/** Renewed by the driver at each connection; a workspace that outlives them reconnects with new ones. */
const CREDENTIALS_TTL_SECONDS = 24 * 3600;

export interface DriverServices {
  bus: Bus;
  logger: Logger;
  database: Database;
  sealer: Sealer;
  /** Credentials that the egress process puts on requests. */
  grants?: GrantSource;
}

/** The driver that the configuration names. One that cannot work here refuses each workspace with the reason. */
export async function makeDriver(
  config: LifecycleConfig,
  { bus, logger, database, sealer, grants }: DriverServices,
): Promise<WorkspaceDriver> {
  const { NATS_ACCOUNT_SEED: seed } = config;
  const make = await driverKinds[config.ROOST_WORKSPACE_DRIVER]();
  return make({
    config,
    nats: bus.connection,
    logger,
    credentialsTtlSeconds: CREDENTIALS_TTL_SECONDS,
    egressAllowedRanges: config.ROOST_EGRESS_ALLOWED_RANGES?.split(',').map((range) => range.trim()),
    grants,
    egressAuthority: rememberedOnce(() => storedAuthority(database, sealer)),
    mintCredentials:
      seed === undefined
        ? undefined
        : (agentId) => workspaceCredentials(seed, agentId, { ttlSeconds: CREDENTIALS_TTL_SECONDS }),
  });
}

/** Asked for again only after a failure. */
function rememberedOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
