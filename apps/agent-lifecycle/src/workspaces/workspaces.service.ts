import { Sealer } from '#lib/auth';
import { Bus, CONFIG, LOGGER } from '#lib/bus';
import { callThatStarts, RoostError, type WorkspaceState } from '#lib/contracts';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import type { Subscription } from '@nats-io/transport-node';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AgentKey, type AgentRow, findAgent, stateOf } from '../agents/agent-row.js';
import { openSecrets } from '../agents/agent-secrets.js';
import { allowedResources } from '../agents/maxima.js';
import type { LifecycleConfig } from '../config.js';
import { changeStatus } from '../states/change-status.js';
import { syncMessagingState } from '../states/sync-messaging-state.js';
import type { WorkspaceDriver, WorkspaceSpec } from '../sandboxes/index.js';
import { isHostAway } from '../sandboxes/unavailable.js';
import { Activity } from './activity.js';
import { AwakeLeases } from './awake-leases.js';
import { ColdStarts } from './cold-starts.js';
import { Failures } from './failures.js';
import { DRIVER } from './make-driver.js';
import { writePendingFiles } from './pending-files.js';

interface Awake {
  since: number;
  /** Of the agent's row, as it counts in the sandbox. */
  revision: number;
  /** What the sandbox was made for, as a digest. */
  madeFor: string;
  /** Its sandbox was made for a configuration that has changed since. */
  isStale: boolean;
}

/** Tells every replica that an agent's sandbox may have to change. A hint: `reconcile` finds it too. */
const SANDBOX_CHANGED = 'lifecycle.sandbox.changed';
const Changed = z.object({ agent_id: z.uuid() });

/**
 * Makes, wakes and puts away workspaces as the agents' rows allow, and counts what goes wrong. Replicas of the service
 * work on the same workspaces; which of them woke one is not known to the others.
 */
@Injectable()
export class WorkspacesService {
  readonly activity: Activity;
  readonly failures = new Failures();
  /** Those that should be running: woken by us and not put to sleep since. */
  readonly awake = new Map<string, Awake>();
  private readonly starts: ColdStarts;
  private readonly waking = new Map<string, Promise<void>>();
  private readonly removing = new Map<string, Promise<void>>();
  private hints: Subscription | undefined;

  constructor(
    private readonly database: Database,
    private readonly bus: Bus,
    private readonly sealer: Sealer,
    @Inject(DRIVER) readonly driver: WorkspaceDriver,
    @Inject(CONFIG) readonly config: LifecycleConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    readonly leases: AwakeLeases,
  ) {
    this.activity = new Activity(bus, (agentId) => {
      this.logger.warn({ agentId }, 'a workspace floods the bus and is put to sleep');
      this.sleepSoon(agentId);
    });
    this.starts = new ColdStarts(config.ROOST_MAX_STARTS);
  }

  /** Listens to what workspaces and other replicas tell. */
  start(): void {
    this.activity.start();
    this.hints = this.bus.connection.subscribe(SANDBOX_CHANGED, {
      callback: (error, message) => {
        const changed = error ? undefined : Changed.safeParse(message.json()).data;
        if (changed) this.catchUpSoon(changed.agent_id);
      },
    });
  }

  stop(): void {
    this.activity.stop();
    if (this.hints && !this.hints.isClosed()) this.hints.unsubscribe();
  }

  /**
   * Resolves when the workspace answers and its initial files are in it. Calls at once make one workspace.
   * Errors: NOT_FOUND; AGENT_UNAVAILABLE when the agent is stopped or in error, or the workspace cannot be made: after
   * some failures in a row the agent goes to `error`; or when its turn to start does not come in time, or its account
   * has as many awake as it may, all of them in use.
   */
  async ensure(key: AgentKey): Promise<void> {
    const agent = await this.findStartable(key);
    const underWay = this.waking.get(agent.id);
    if (underWay) return underWay;
    const wake = this.wake(agent).finally(() => this.waking.delete(agent.id));
    this.waking.set(agent.id, wake);
    return wake;
  }

  /** Wakes without anybody waiting for it; what goes wrong is counted and logged. */
  ensureSoon(agentId: string): void {
    this.ensure({ agentId, accountId: null }).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a workspace could not be made'),
    );
  }

  async sleep(agentId: string): Promise<void> {
    this.awake.delete(agentId);
    await this.driver.sleep(agentId);
    await this.leases.ended(agentId);
  }

  sleepSoon(agentId: string): void {
    this.sleep(agentId).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a workspace could not be stopped; it is tried again'),
    );
  }

  /** Deletes the workspace of a deleted agent with its volume, and notes that it is done. */
  async remove(agentId: string): Promise<void> {
    const underWay = this.removing.get(agentId);
    if (underWay) return underWay;
    const removal = this.removeVolume(agentId).finally(() => this.removing.delete(agentId));
    this.removing.set(agentId, removal);
    return removal;
  }

  removeSoon(agentId: string): void {
    this.remove(agentId).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a volume could not be removed; it is tried again'),
    );
  }

  async stateOf(agent: Pick<AgentRow, 'id' | 'status'>): Promise<WorkspaceState> {
    if (agent.status === 'stopped') return 'stopped';
    return (await this.driver.inspect(agent.id)).state;
  }

  /** Makes a changed configuration count in every replica: the network at once, the rest when the workspace is quiet. */
  async apply(agent: AgentRow): Promise<void> {
    await this.applyHere(agent);
    this.bus.signal(SANDBOX_CHANGED, { agent_id: agent.id });
  }

  /** Applies what another replica changed. */
  async catchUp(agentId: string): Promise<void> {
    if (!this.awake.has(agentId)) return;
    const [agent] = await this.database.query<AgentRow>(`SELECT * FROM agents WHERE id = $1`, [agentId]);
    if (agent) await this.applyHere(agent);
  }

  private catchUpSoon(agentId: string): void {
    this.catchUp(agentId).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a change was not applied; the next round does it'),
    );
  }

  private async applyHere(agent: AgentRow): Promise<void> {
    const awake = this.awake.get(agent.id);
    const revision = Number(agent.revision);
    if (!awake || awake.revision >= revision) return;
    const before = awake.revision;
    awake.revision = revision;
    try {
      const spec = this.specOf(agent);
      const isStale = digestOf(spec) !== awake.madeFor;
      if (!isStale && !awake.isStale) return;
      if ((await this.driver.inspect(agent.id)).state !== 'running' || awake.revision !== revision) return;
      awake.isStale = isStale;
      await this.driver.ensure(spec);
    } catch (error) {
      if (awake.revision === revision) awake.revision = before;
      throw error;
    }
  }

  private async removeVolume(agentId: string): Promise<void> {
    this.awake.delete(agentId);
    this.failures.clear(agentId);
    await this.driver.remove(agentId);
    this.activity.forget(agentId);
    await this.leases.release(agentId);
    await this.database.query(`UPDATE deleted_agents SET volume_removed_at = now() WHERE agent_id = $1`, [agentId]);
  }

  private async findStartable(key: AgentKey): Promise<AgentRow> {
    const agent = await findAgent(this.database, key);
    if (agent.status === 'stopped' || agent.status === 'error') throw unavailable(agent);
    return agent;
  }

  private async wake(agent: AgentRow): Promise<void> {
    if (await this.isRunning(agent.id)) await this.startWorkspace(agent);
    else await this.startCold(agent);
    await this.undoIfStoppedMeanwhile(agent.id);
  }

  /** Room in the account's quota first: who waits for that must not hold a place among those that start. */
  private async startCold(agent: AgentRow): Promise<void> {
    await this.leases.take(agent, {
      idleMs: (agentId) => (this.waking.has(agentId) ? 0 : this.activity.idleMs(agentId)),
      sleep: (agentId) => this.sleep(agentId),
    });
    try {
      await this.starts.run(agent.account_id, async () =>
        // It may have been stopped, deleted or changed while it waited.
        this.startWorkspace(await this.findStartable({ agentId: agent.id, accountId: agent.account_id })),
      );
      this.activity.started(agent.id, this.leases.times.startGraceMs);
      await this.leases.started(agent.id);
    } catch (error) {
      await this.leases.release(agent.id);
      throw error;
    }
  }

  /** Those that this process wakes. */
  get starting(): string[] {
    return [...this.waking.keys()];
  }

  /** What the driver cannot tell counts as not running: the start that follows finds out why, and counts it. */
  private isRunning(agentId: string): Promise<boolean> {
    return this.driver.inspect(agentId).then(
      ({ state }) => state === 'running',
      () => false,
    );
  }

  private async startWorkspace(agent: AgentRow): Promise<void> {
    const spec = this.specOf(agent);
    try {
      await this.driver.ensure(spec);
      this.activity.touch(agent.id);
      if (!this.awake.has(agent.id))
        this.awake.set(agent.id, {
          since: Date.now(),
          revision: Number(agent.revision),
          madeFor: digestOf(spec),
          isStale: false,
        });
      await writePendingFiles(this.database, this.bus, agent.id);
    } catch (error) {
      await this.failed(agent.id, error);
      throw error;
    }
  }

  /** Counts a failure of a workspace; too many in a row, or one that no retry mends, put the agent in `error`. */
  async failed(agentId: string, error: unknown): Promise<void> {
    // Every caller runs into a host that is away: once per wait, so that a moment of it is not too many in a row.
    if (isHostAway(error) && !this.failures.mayTry(agentId)) return;
    const count = this.failures.add(agentId);
    if (count < this.config.ROOST_WORKSPACE_TRIES && this.driver.whyNever === undefined) return;
    const reason = error instanceof RoostError ? error.message : 'the workspace keeps failing';
    this.failures.clear(agentId);
    this.awake.delete(agentId);
    const { agent, hasChanged } = await this.database.transaction((tx) =>
      changeStatus(tx, { agentId, accountId: null }, 'fail', reason),
    );
    if (hasChanged) await syncMessagingState(this.bus, stateOf(agent));
  }

  private async undoIfStoppedMeanwhile(agentId: string): Promise<void> {
    const [now] = await this.database.query<AgentRow>(`SELECT * FROM agents WHERE id = $1`, [agentId]);
    if (now && now.status !== 'stopped') return;
    await this.sleep(agentId);
    if (now) throw unavailable(now);
    await this.remove(agentId);
    throw new RoostError('NOT_FOUND', 'there is no such agent');
  }

  private specOf(agent: AgentRow): WorkspaceSpec {
    const { network } = agent.configuration;
    return {
      agentId: agent.id,
      accountId: agent.account_id,
      ...allowedResources(agent, this.config),
      env: openSecrets(this.sealer, agent).customEnv ?? {},
      network: network ?? { mode: 'public' },
    };
  }
}

const digestOf = (spec: WorkspaceSpec) => createHash('sha256').update(JSON.stringify(spec)).digest('base64');

function unavailable(agent: AgentRow): RoostError {
  const reason = agent.status === 'error' ? `is in error (${agent.status_reason ?? 'unknown'})` : 'is stopped';
  return new RoostError('AGENT_UNAVAILABLE', `the agent ${reason}: ${callThatStarts(agent.id)}`, [
    { reason: agent.status },
  ]);
}
