import type { DriverParts } from '../workspace-driver.js';
import type { WorkspaceDriver } from '../workspace-driver.js';
import { KubernetesWorkspaceDriver } from './kubernetes-driver.js';

/** Pods in the cluster that this service runs in, or that the kubeconfig names. The client is loaded here alone. */
export async function makeKubernetesDriver(parts: DriverParts): Promise<WorkspaceDriver> {
  const { config, nats, logger, mintCredentials, egressAllowedRanges, grants, egressAuthority } = parts;
  const { ROOST_KUBERNETES: settings, NATS_ACCOUNT_SEED: accountSeed } = config;
  if (!settings)
    throw new Error('ROOST_KUBERNETES is not set: the kubernetes driver needs to know namespace and image');
  if (accountSeed === undefined || !mintCredentials) {
    throw new Error('workspaces cannot reach the bus: set NATS_ACCOUNT_SEED_FILE');
  }
  const client = await import('@kubernetes/client-node');
  const kubeConfig = new client.KubeConfig();
  kubeConfig.loadFromDefault();
  return new KubernetesWorkspaceDriver({
    client,
    config: kubeConfig,
    settings,
    accountSeed,
    mintCredentials,
    credentialsTtlSeconds: parts.credentialsTtlSeconds,
    egress: { host: config.ROOST_EGRESS_HOST, port: config.ROOST_EGRESS_PORT },
    egressAllowedRanges,
    grants,
    egressAuthority,
    dataDir: config.ROOST_DATA_DIR,
    nats,
    logger,
  });
}
