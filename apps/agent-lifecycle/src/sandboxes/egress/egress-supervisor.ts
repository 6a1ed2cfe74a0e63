import type { EgressPolicy } from '#lib/contracts';
import type { EgressAuthority } from './authority.js';
import { EgressChild, type EgressChildOptions } from './egress-child.js';
import type { GrantSource } from './grant-source.js';

type Said = Parameters<EgressChildOptions['onMessage']>[0];

export interface EgressSupervisorOptions {
  authority(): Promise<EgressAuthority>;
  grants: GrantSource;
  policyOf(agentId: string): EgressPolicy;
  allowedRanges: string[];
  nodeArguments?: string[] | undefined;
  logger: { warn(fields: object, message: string): void };
  onAccess(agentId: string, entry: Extract<Said, { type: 'access' }>['entry']): void;
}

/** Between two starts of a process that ends at once. */
const againMs = 300;
/** After grants could not be read; until then the agent has none. */
const retryMs = 1_000;

interface Agent {
  /** What the process goes by, as JSON. */
  policy: string;
  /** Of the listener in the process that runs now. */
  path: Promise<string>;
}

/**
 * Runs the egress process, again at once when it ends, and keeps it by what the agents' settings and grants are now.
 * Not promised: streams through a process that ended.
 */
export class EgressSupervisor {
  private readonly agents = new Map<string, Agent>();
  private child: Promise<EgressChild> | undefined;
  private startedAt = 0;
  private isClosed = false;

  constructor(private readonly options: EgressSupervisorOptions) {
    options.grants.onChanged((agentId) => {
      if (this.agents.has(agentId)) void this.renew(agentId);
    });
  }

  /** Where the agent's sandbox is served, by its setting as it is now. Errors: there is no process, or no grants can be read. */
  listenerOf(agentId: string): Promise<string> {
    const known = this.agents.get(agentId);
    return known?.policy === JSON.stringify(this.options.policyOf(agentId)) ? known.path : this.push(agentId);
  }

  /** Resolves when a changed setting counts, for open connections too. */
  async refresh(agentId: string): Promise<void> {
    if (this.agents.has(agentId)) await this.listenerOf(agentId).catch(() => undefined);
  }

  /** Closes the agent's listener; `listenerOf` opens another. */
  forget(agentId: string): void {
    if (!this.agents.delete(agentId)) return;
    void this.child?.then((child) => child.send({ type: 'forget', agentId })).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    const child = await this.child?.catch(() => undefined);
    child?.kill();
    await child?.ended;
  }

  /** Of the process that runs now. */
  async pid(): Promise<number | undefined> {
    return (await this.child)?.pid;
  }

  private push(agentId: string): Promise<string> {
    const before = this.agents.get(agentId)?.path;
    const policy = this.options.policyOf(agentId);
    // One after the other: what was read first must not be what counts last.
    const path = (async () => {
      await before?.catch(() => undefined);
      const [child, grants] = await Promise.all([this.running(), this.options.grants.grantsOf(agentId)]);
      return child.set(agentId, policy, grants);
    })();
    const agent = { policy: JSON.stringify(policy), path };
    this.agents.set(agentId, agent);
    path.catch(() => {
      if (this.agents.get(agentId) === agent) agent.policy = ''; // the next connection tries again
    });
    return path;
  }

  /** After a change of grants. Where they cannot be read the agent has none until they can. */
  private async renew(agentId: string): Promise<void> {
    try {
      await this.push(agentId);
    } catch (error) {
      if (this.isClosed) return;
      this.options.logger.warn(
        { agentId, err: error },
        'changed grants could not be read: the agent has none until they can',
      );
      const child = await this.child?.catch(() => undefined);
      await child?.set(agentId, this.options.policyOf(agentId), []).catch(() => undefined);
      setTimeout(() => {
        if (this.agents.has(agentId)) void this.renew(agentId);
      }, retryMs).unref();
    }
  }

  private running(): Promise<EgressChild> {
    if (this.isClosed) return Promise.reject(new Error('Roost is shutting down'));
    this.child ??= this.start().catch((error: unknown) => {
      this.child = undefined;
      throw error;
    });
    return this.child;
  }

  private async start(): Promise<EgressChild> {
    const { allowedRanges, nodeArguments, logger, grants } = this.options;
    const authority = await this.options.authority();
    this.startedAt = Date.now();
    const child = new EgressChild({
      authority,
      allowedRanges,
      askHoldMs: grants.askHoldMs,
      nodeArguments,
      onLog: (line) => logger.warn({ egressOutput: line }, 'output of the egress process'),
      onMessage: (message) => void this.take(message, child),
    });
    void child.ended.then(() => this.restart());
    await child.ready;
    return child;
  }

  private async restart(): Promise<void> {
    this.child = undefined;
    if (this.isClosed) return;
    this.options.logger.warn({}, 'the egress process ended and is started again');
    if (Date.now() - this.startedAt < 1_000) await new Promise((resolve) => setTimeout(resolve, againMs).unref());
    for (const agentId of this.agents.keys()) this.push(agentId).catch(() => undefined);
  }

  private async take(message: Said, child: EgressChild): Promise<void> {
    const { grants, onAccess, logger } = this.options;
    try {
      if (message.type === 'access') onAccess(message.agentId, message.entry);
      else if (message.type === 'uses') await grants.used(message.uses);
      else if (message.type === 'token-wanted') {
        const { token, expiresAt } = await grants.tokenFor(message.grantId);
        child.send({ type: 'token', id: message.id, token, expiresAt: expiresAt.getTime() });
      } else
        child.send({ type: 'verdict', id: message.id, ...(await grants.mayUse(message.grantId, message.request)) });
    } catch (error) {
      logger.warn({ err: error }, 'a question of the egress process could not be answered');
      if ('id' in message)
        child.send({
          type: 'failure',
          id: message.id,
          reason: error instanceof Error ? error.message : 'no reason is known',
        });
    }
  }
}
