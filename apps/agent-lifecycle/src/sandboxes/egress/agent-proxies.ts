import type { NetworkLogEntry, NetworkPolicy } from '../workspace-driver.js';
import { EgressLog } from './egress-log.js';
import { EgressProxy } from './egress-proxy.js';

export interface AgentProxiesOptions {
  /** Holds the network logs. */
  dataDir: string;
  /** Ranges that agents may reach though they are not public. */
  egressAllowedRanges?: string[] | undefined;
  logger: { warn(fields: object, message: string): void };
}

/** The agents' ways out: a proxy each, by the agent's policy as it is at each connection, and what went through it. */
export class AgentProxies {
  private readonly log: EgressLog;

  constructor(
    private readonly options: AgentProxiesOptions,
    private readonly policyOf: (agentId: string) => NetworkPolicy,
  ) {
    this.log = new EgressLog(options.dataDir);
  }

  open(agentId: string): EgressProxy {
    const { egressAllowedRanges = [], logger } = this.options;
    return new EgressProxy({
      policy: () => this.policyOf(agentId),
      guard: { schemes: ['http', 'https'], allowedRanges: egressAllowedRanges },
      onAccess: (entry) => {
        this.log
          .append(agentId, entry)
          .catch((error: unknown) => logger.warn({ agentId, err: error }, 'the network log could not be written'));
      },
    });
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.log.latest(agentId, limit);
  }

  removeLog(agentId: string): Promise<void> {
    return this.log.remove(agentId);
  }
}
