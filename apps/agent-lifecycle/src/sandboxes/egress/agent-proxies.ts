import { connect } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import type { NetworkLogEntry, NetworkPolicy } from '../workspace-driver.js';
import { type EgressAuthority, makeEgressAuthority } from './authority.js';
import { EgressLog } from './egress-log.js';
import { EgressSupervisor } from './egress-supervisor.js';
import { type GrantSource, noGrants } from './grant-source.js';

export interface AgentProxiesOptions {
  /** Holds the network logs. */
  dataDir: string;
  /** Ranges that agents may reach though they are not public. */
  egressAllowedRanges?: string[] | undefined;
  /** Default: none are granted. */
  grants?: GrantSource | undefined;
  /** The installation's. Default: one of this process. */
  egressAuthority?: (() => Promise<EgressAuthority>) | undefined;
  /** Arguments of the egress process's Node. */
  egressNodeArguments?: string[] | undefined;
  logger: { warn(fields: object, message: string): void };
}

/** An agent without connections is forgotten after this: its grants lie in no memory then. */
const idleMs = 60_000;
/** Changes of a setting that another replica made are looked for so often while connections are open. */
const checkMs = 500;

/** The agents' ways out, by the egress process: each agent's policy as it is now, and what went through. */
export class AgentProxies {
  readonly supervisor: EgressSupervisor;
  private readonly log: EgressLog;
  private readonly streams = new Map<string, number>();
  private readonly idle = new Map<string, NodeJS.Timeout>();
  private readonly authority: () => Promise<EgressAuthority>;
  private readonly check: NodeJS.Timeout;

  constructor(options: AgentProxiesOptions, policyOf: (agentId: string) => NetworkPolicy) {
    const { egressAllowedRanges = [], grants = noGrants, logger } = options;
    this.log = new EgressLog(options.dataDir);
    let made: Promise<EgressAuthority> | undefined;
    this.authority = options.egressAuthority ?? (() => (made ??= makeEgressAuthority()));
    this.supervisor = new EgressSupervisor({
      authority: this.authority,
      grants,
      policyOf,
      allowedRanges: egressAllowedRanges,
      nodeArguments: options.egressNodeArguments,
      logger,
      onAccess: (agentId, entry) => {
        this.log
          .append(agentId, entry)
          .catch((error: unknown) => logger.warn({ agentId, err: error }, 'the network log could not be written'));
      },
    });
    this.check = setInterval(() => {
      for (const agentId of this.streams.keys()) void this.supervisor.refresh(agentId);
    }, checkMs).unref();
  }

  /** What sandboxes shall trust, PEM. */
  async certificate(): Promise<string> {
    return (await this.authority()).certificate;
  }

  /** Makes ready for the agent's first connection. */
  prepare(agentId: string): void {
    this.supervisor.listenerOf(agentId).catch(() => undefined); // its first connection gets the error
    this.left(agentId);
  }

  /** Serves a connection of the agent's sandbox. */
  accept(agentId: string, client: Duplex): void {
    client.on('error', () => undefined); // 'close' follows
    this.streams.set(agentId, (this.streams.get(agentId) ?? 0) + 1);
    clearTimeout(this.idle.get(agentId));
    client.once('close', () => {
      const left = (this.streams.get(agentId) ?? 1) - 1;
      if (left > 0) return void this.streams.set(agentId, left);
      this.streams.delete(agentId);
      this.left(agentId);
    });
    this.supervisor.listenerOf(agentId).then(
      (path) => {
        const socket = connect(path);
        pipeline(client, socket, client, () => client.destroy());
      },
      () => client.end(notNow),
    );
  }

  /** Resolves when the agent's changed setting counts. */
  refresh(agentId: string): Promise<void> {
    return this.supervisor.refresh(agentId);
  }

  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]> {
    return this.log.latest(agentId, limit);
  }

  async remove(agentId: string): Promise<void> {
    this.supervisor.forget(agentId);
    await this.log.remove(agentId);
  }

  async close(): Promise<void> {
    clearInterval(this.check);
    for (const timer of this.idle.values()) clearTimeout(timer);
    await this.supervisor.close();
  }

  private left(agentId: string): void {
    clearTimeout(this.idle.get(agentId));
    const timer = setTimeout(() => {
      this.idle.delete(agentId);
      if (!this.streams.has(agentId)) this.supervisor.forget(agentId);
    }, idleMs);
    this.idle.set(agentId, timer.unref());
  }
}

const sorry = 'Roost: The egress proxy is being started. Try again in a moment.\n';
const notNow = `HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 1\r\ncontent-length: ${sorry.length}\r\nconnection: close\r\n\r\n${sorry}`;
