import type { V1Secret } from '@kubernetes/client-node';
import { lookup } from 'node:dns/promises';
import type { Cluster } from './cluster.js';
import type { EgressTokens } from './egress-service.js';
import type { SecretParts } from './manifests.js';
import { CREDENTIALS_END, nameOf } from './names.js';
import type { KubernetesSettings } from './settings.js';
import { kinds, type View } from './view.js';

export interface WorkspaceSecretsOptions {
  settings: KubernetesSettings;
  /** Bus credentials of one workspace, good for `credentialsTtlSeconds`. */
  mintCredentials(agentId: string): Promise<string>;
  credentialsTtlSeconds: number;
  /** Of the egress process's authority, PEM. */
  certificate(): Promise<string>;
  logger: { warn(fields: object, message: string): void };
}

/** What a workspace's Secret holds: made when it wakes, and its bus credentials anew long before they end. */
export class WorkspaceSecrets {
  constructor(
    private readonly options: WorkspaceSecretsOptions,
    private readonly tokens: EgressTokens,
    private readonly cluster: Pick<Cluster, 'merge'>,
    private readonly view: Pick<View, 'secretsInUse'>,
  ) {}

  async partsOf(agentId: string): Promise<SecretParts> {
    const { bus, egress } = this.options.settings;
    const address = async (host: string) => (await lookup(host)).address;
    return {
      ...(await this.credentialsOf(agentId)),
      egressToken: this.tokens.of(agentId),
      certificate: await this.options.certificate(),
      // A pod asks no name server.
      addresses: { bus: await address(bus.host), egress: await address(egress.host) },
    };
  }

  /** Mounts new credentials where half of the old ones' time is over; the daemon reads them when it connects again. */
  async renew(): Promise<void> {
    const { credentialsTtlSeconds, logger, settings } = this.options;
    const soon = Date.now() / 1_000 + credentialsTtlSeconds / 2;
    for (const { agentId, secret: mounted } of this.view.secretsInUse()) {
      if (Number(mounted.metadata?.annotations?.[CREDENTIALS_END] ?? 0) > soon) continue;
      try {
        const { credentials, endsAt } = await this.credentialsOf(agentId);
        await this.cluster.merge<V1Secret>({
          ...kinds.secret,
          metadata: {
            name: nameOf(settings.instance, agentId),
            namespace: settings.namespace,
            annotations: { [CREDENTIALS_END]: String(endsAt) },
          },
          data: { 'bus.creds': Buffer.from(credentials).toString('base64') },
        });
      } catch (error) {
        logger.warn({ agentId, err: error }, 'bus credentials could not be renewed; it is tried again');
      }
    }
  }

  private async credentialsOf(agentId: string): Promise<Pick<SecretParts, 'credentials' | 'endsAt'>> {
    return {
      credentials: await this.options.mintCredentials(agentId),
      endsAt: Math.floor(Date.now() / 1_000) + this.options.credentialsTtlSeconds,
    };
  }
}
