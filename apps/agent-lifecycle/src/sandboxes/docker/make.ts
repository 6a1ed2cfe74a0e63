import type { DriverParts } from '../workspace-driver.js';
import { DockerWorkspaceDriver } from './docker-driver.js';

/** Containers of the Docker host that DOCKER_HOST names. */
export function makeDockerDriver({
  config,
  nats,
  logger,
  mintCredentials,
  egressAllowedRanges,
  grants,
  egressAuthority,
}: DriverParts): DockerWorkspaceDriver {
  return new DockerWorkspaceDriver({
    host: config.DOCKER_HOST,
    instance: config.ROOST_DOCKER_INSTANCE,
    image: config.ROOST_WORKSPACE_IMAGE,
    runtime: config.ROOST_DOCKER_RUNTIME,
    whyNever: mintCredentials ? undefined : 'workspaces cannot reach the bus: set NATS_ACCOUNT_SEED_FILE',
    dataDir: config.ROOST_DATA_DIR,
    natsUrl: config.NATS_URL,
    mintCredentials: (agentId) => mintCredentials?.(agentId) ?? Promise.reject(new Error('no seed')),
    egressAllowedRanges,
    grants,
    egressAuthority,
    nats,
    logger,
  });
}
