import type { NetworkLogEntry, NetworkPolicy } from './workspace-driver.js';
import type { Duplex } from 'node:stream';
import { EgressLog } from './egress/egress-log.js';
import { EgressProxy } from './egress/egress-proxy.js';
import { SandboxLink } from './local/sandbox-link.js';

export interface HostLinesOptions {
  /** Holds the network logs. */
  dataDir: string;
  natsUrl: string;
  /** Bus credentials of one workspace, asked for at each connection. */
  mintCredentials(agentId: string): Promise<string>;
  /** Ranges that agents may reach though they are not public. */
  egressAllowedRanges?: string[] | undefined;
  logger: { warn(fields: object, message: string): void };
}

/** The host's ends of the workspaces' lines: each leads to the bus and, by the agent's policy, to the outside. */
export class HostLines {
  private readonly policies = new Map<string, NetworkPolicy>();
  private readonly egressLog: EgressLog;

  constructor(private readonly options: HostLinesOptions) {
    this.egressLog = new EgressLog(options.dataDir);
  }

  /** Counts at once, for open lines too. */
  setPolicy(agentId: string, policy: NetworkPolicy): void {
    this.policies.set(agentId, policy);
  }

  /** Serves a workspace over its line until that ends or is closed. */
  open(agentId: string, line: Duplex): SandboxLink {
    const { natsUrl, mintCredentials, egressAllowedRanges = [], logger } = this.options;
    const proxy = new EgressProxy({
      policy: () => this.policies.get(agentId) ?? { mode: 'none' },
      guard: { schemes: ['http', 'https'], allowedRanges: egressAllowedRanges },
      onAccess: (entry) => {
        this.egressLog
          .append(agentId, entry)
          .catch((error: unknown) => logger.warn({ agentId, error }, 'the network log could not be written'));
      },
    });
    return new SandboxLink(line, {
      natsUrl,
      mintCredentials: () => mintCredentials(agentId),
      onProxyConnection: (stream) => proxy.accept(stream),
    });
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.egressLog.latest(agentId, limit);
  }

  async remove(agentId: string): Promise<void> {
    this.policies.delete(agentId);
    await this.egressLog.remove(agentId);
  }
}
