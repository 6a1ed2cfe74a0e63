import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { EgressGrant, EgressPolicy } from '#lib/contracts';
import { type GuardPolicy, coversHost, type Destination } from '#lib/net-guard';
import type { OnAccess } from './access.js';
import { AgentGrants, type GrantQuestions } from './credentials/agent-grants.js';
import { ForwardProxy } from './forward-proxy.js';
import type { InterceptorParts } from './tls/intercept.js';

export interface AgentEgressOptions {
  /** Of its listener. Who can connect there is this agent: it needs to say nothing. */
  path: string;
  guard: GuardPolicy;
  tls: Omit<InterceptorParts, 'guard'>;
  questions: GrantQuestions;
  onAccess: OnAccess;
}

/** What one agent's sandbox is served by: a listener of its own, its network setting and its grants. */
export class AgentEgress {
  private policy: EgressPolicy = { mode: 'none' };
  private grants: EgressGrant[] = [];
  private readonly held: AgentGrants;
  private readonly proxy: ForwardProxy;
  private readonly server: Server;
  private readonly listening: Promise<void>;

  constructor(private readonly options: AgentEgressOptions) {
    this.held = new AgentGrants(options.questions);
    this.proxy = new ForwardProxy({ ...options, policy: () => this.policy, grants: this.held });
    this.server = createServer((socket) => this.proxy.accept(socket));
    this.listening = new Promise((resolve, reject) => this.server.once('error', reject).listen(options.path, resolve));
  }

  get path(): string {
    return this.options.path;
  }

  /** Counts when it resolves. Open connections to hosts whose grants changed have ended then. */
  async set(policy: EgressPolicy, grants: EgressGrant[]): Promise<void> {
    const before = this.grants;
    this.policy = policy;
    this.grants = grants;
    this.held.set(grants);
    const at = (list: EgressGrant[], destination: Destination) =>
      // Whether it asks concerns the next request: one that waits for a person goes on when it is allowed always.
      list.filter((grant) => coversHost(grant, destination)).map(({ asks: _, ...grant }) => grant);
    this.proxy.interceptor.closeWhere(
      (destination) => !isDeepStrictEqual(at(before, destination), at(grants, destination)),
    );
    await this.listening;
  }

  async close(): Promise<void> {
    this.proxy.interceptor.closeWhere(() => true);
    this.proxy.close();
    this.server.close();
    await rm(this.options.path, { force: true });
  }
}
