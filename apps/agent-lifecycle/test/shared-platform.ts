import type { NetworkPolicy, WorkspaceDriver, WorkspaceSpec } from '../src/sandboxes/index.js';
import { hostAway } from '../src/sandboxes/host-errors.js';

/** Workspaces as a Docker host has them, with nothing in them: each replica's driver holds the connections of those it made. */
export class Platform {
  readonly holders = new Map<string, PlatformDriver>();
  isAway = false;
  /** Workspaces that can neither be put to sleep nor removed. */
  readonly stuck = new Set<string>();
}

export class PlatformDriver implements WorkspaceDriver {
  readonly whyNever = undefined;
  readonly policies = new Map<string, NetworkPolicy>();
  constructor(private readonly platform: Platform) {}

  ensure({ agentId, network }: WorkspaceSpec) {
    if (this.platform.isAway) return Promise.reject(hostAway('Docker does not answer'));
    this.policies.set(agentId, network);
    if (!this.platform.holders.has(agentId)) this.platform.holders.set(agentId, this);
    return Promise.resolve();
  }
  sleep(agentId: string) {
    if (this.platform.stuck.has(agentId)) return Promise.reject(new Error(`${agentId} is stuck`));
    this.platform.holders.delete(agentId);
    return Promise.resolve();
  }
  remove(agentId: string) {
    return this.sleep(agentId);
  }
  inspect(agentId: string) {
    return Promise.resolve({ state: this.platform.holders.has(agentId) ? ('running' as const) : ('asleep' as const) });
  }
  list() {
    const ids = new Set([...this.policies.keys(), ...this.platform.holders.keys()]);
    return Promise.all([...ids].map(async (agentId) => ({ agentId, ...(await this.inspect(agentId)) })));
  }
  networkLog() {
    return Promise.resolve([]);
  }
  isolation() {
    return Promise.resolve({});
  }
  close() {
    return Promise.resolve();
  }
}
