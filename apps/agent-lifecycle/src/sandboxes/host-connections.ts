import type { NetworkLogEntry, NetworkPolicy } from './workspace-driver.js';
import type { Duplex } from 'node:stream';
import { AgentProxies, type AgentProxiesOptions } from './egress/agent-proxies.js';
import { SandboxConnection } from './sandbox-connection.js';

export interface HostConnectionsOptions extends AgentProxiesOptions {
  natsUrl: string;
  /** Bus credentials of one workspace, asked for at each connection. */
  mintCredentials(agentId: string): Promise<string>;
}

/** The host's ends of the workspaces' lines: each leads to the bus and, by the agent's policy, to the outside. */
export class HostConnections {
  private readonly policies = new Map<string, NetworkPolicy>();
  private readonly proxies: AgentProxies;

  constructor(private readonly options: HostConnectionsOptions) {
    this.proxies = new AgentProxies(options, (agentId) => this.policies.get(agentId) ?? { mode: 'none' });
  }

  /** Counts at once, for open lines too. */
  setPolicy(agentId: string, policy: NetworkPolicy): void {
    this.policies.set(agentId, policy);
  }

  /** Serves a workspace over its line until that ends or is closed. */
  open(agentId: string, line: Duplex): SandboxConnection {
    const { natsUrl, mintCredentials } = this.options;
    const proxy = this.proxies.open(agentId);
    // Signing takes a while: the credentials of the first connection are made while the workspace starts.
    let first: Promise<string> | undefined = mintCredentials(agentId);
    first.catch(() => undefined); // told to whoever asks for them
    return new SandboxConnection(line, {
      natsUrl,
      mintCredentials: () => {
        const minted = first ?? mintCredentials(agentId);
        first = undefined;
        return minted;
      },
      onProxyConnection: (stream) => proxy.accept(stream),
    });
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.proxies.networkLog(agentId, limit);
  }

  async remove(agentId: string): Promise<void> {
    this.policies.delete(agentId);
    await this.proxies.removeLog(agentId);
  }
}
