import { LOGGER } from '#lib/bus';
import { callThatStarts, RoostError, type WorkspaceState } from '#lib/contracts';
import type { Logger } from '#lib/observability';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import type { AgentKey, AgentRow } from '../agents/agent-row.js';
import { findAgent, findAnyAgent, recordVolumeRemoved } from '../agents/agents.repository.js';
import { AwakeLeases } from './awake-leases.js';
import { ColdStarts } from './cold-starts.js';
import { WorkspaceLauncher } from './workspace-launcher.js';

/** Tries of one wake to start the workspace before it loses its lease to another. */
const MAX_STARTS = 3;

/**
 * Wakes, puts to sleep and removes workspaces as the agents' rows allow. Replicas of the service work on the same
 * workspaces; which of them woke one is not known to the others.
 */
@Injectable()
export class WorkspacesService {
  private readonly waking = new Map<string, Promise<void>>();
  private readonly removing = new Map<string, Promise<void>>();

  constructor(
    private readonly database: Database,
    private readonly launcher: WorkspaceLauncher,
    private readonly leases: AwakeLeases,
    private readonly starts: ColdStarts,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

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

  /** Wakes without anybody waiting for it; failures are counted and logged. */
  ensureSoon(agentId: string): void {
    this.ensure({ agentId, accountId: null }).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a workspace could not be made'),
    );
  }

  async sleep(agentId: string): Promise<void> {
    // Who starts it again after the stop has a lease that counts. Without a database it is stopped all the same: the
    // reconciler gives its lease up.
    const since = await this.leases.now().catch(() => '-infinity');
    await this.launcher.stop(agentId);
    await this.leases.ended(agentId, since);
  }

  sleepSoon(agentId: string): void {
    this.sleep(agentId).catch((error: unknown) =>
      this.logger.warn({ agentId, err: error }, 'a workspace could not be stopped; it is tried again'),
    );
  }

  /** Puts a workspace to sleep that sends more than a daemon does. */
  endFlood(agentId: string): void {
    this.logger.warn({ agentId }, 'a workspace floods the bus and is put to sleep');
    this.sleepSoon(agentId);
  }

  /** Deletes the workspace of a deleted agent with its volume, and records that it is done. */
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
    return (await this.launcher.driver.inspect(agent.id)).state;
  }

  /** Somebody has looked after the agent: what failed before counts no more. */
  forgetFailures(agentId: string): void {
    this.launcher.failures.backoff.clear(agentId);
  }

  /** Those that this process wakes. */
  get starting(): string[] {
    return [...this.waking.keys()];
  }

  private async wake(agent: AgentRow): Promise<void> {
    // Before the look at it: from there to the start another wake could put it to sleep, and it would have no lease.
    const spec = await this.launcher.specs.of(agent);
    // One that runs without a lease is being put to sleep for another: what asks for it now would start it anew.
    const hasPlace = (await this.leases.isHeld(agent.id)) && (await this.launcher.isRunning(agent.id));
    if (hasPlace) await this.launcher.start(agent, spec);
    // It may have been put to sleep just before, and run anew: then its lease is from now, or it needs one.
    if (!hasPlace || !(await this.leases.started(agent.id))) await this.startCold(agent);
    await this.undoIfStoppedMeanwhile(agent.id);
  }

  /** The account's quota first: a wake that waits for that must not occupy a slot among those that start. */
  private async startCold(agent: AgentRow): Promise<void> {
    const { activity } = this.launcher;
    for (let tries = 1; tries <= MAX_STARTS; tries++) {
      await this.leases.take(agent, {
        idleMs: (agentId) =>
          this.waking.has(agentId) && !this.leases.isWaiting(agentId) ? 0 : activity.idleMs(agentId),
        sleep: (agentId) => this.sleep(agentId),
      });
      if (await this.startWithLease(agent)) return;
    }
    throw new RoostError('AGENT_UNAVAILABLE', 'the workspace was put to sleep for another while it started; try again');
  }

  /**
   * False: there is no lease any more. Another replica, asked for the same workspace, was quicker to start it, and a third
   * wake has had it put to sleep since.
   */
  private async startWithLease(agent: AgentRow): Promise<boolean> {
    try {
      const isStarted = await this.starts.run(agent.account_id, async () => {
        // It may have been stopped, deleted or changed while it waited.
        const startable = await this.findStartable({ agentId: agent.id, accountId: agent.account_id });
        const spec = await this.launcher.specs.of(startable);
        // Last before the start: what is asked after it would leave time to lose the lease in.
        if (!(await this.leases.isHeld(agent.id))) return false;
        await this.launcher.start(startable, spec);
        return true;
      });
      if (!isStarted) return false;
      this.launcher.activity.started(agent.id, this.leases.times.startGraceMs);
      if (await this.leases.started(agent.id)) return true;
      await this.sleep(agent.id);
      return false;
    } catch (error) {
      // It may run all the same: without its initial files, or as another replica started it.
      if (!(await this.launcher.isRunning(agent.id))) await this.leases.release(agent.id);
      throw error;
    }
  }

  private async undoIfStoppedMeanwhile(agentId: string): Promise<void> {
    const now = await findAnyAgent(this.database, agentId);
    if (now && now.status !== 'stopped') return;
    await this.sleep(agentId);
    if (now) throw unavailable(now);
    await this.remove(agentId);
    throw new RoostError('NOT_FOUND', 'there is no such agent');
  }

  private async removeVolume(agentId: string): Promise<void> {
    await this.launcher.remove(agentId);
    await this.leases.removed(agentId);
    await recordVolumeRemoved(this.database, agentId);
  }

  private async findStartable(key: AgentKey): Promise<AgentRow> {
    const agent = await findAgent(this.database, key);
    if (agent.status === 'stopped' || agent.status === 'error') throw unavailable(agent);
    return agent;
  }
}

function unavailable(agent: AgentRow): RoostError {
  const reason = agent.status === 'error' ? `is in error (${agent.status_reason ?? 'unknown'})` : 'is stopped';
  return new RoostError('AGENT_UNAVAILABLE', `the agent ${reason}: ${callThatStarts(agent.id)}`, [
    { reason: agent.status },
  ]);
}
