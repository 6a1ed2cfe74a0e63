import { LOGGER } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { apart, Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Inject, Injectable } from '@nestjs/common';
import type { AgentRow } from '../agents/agent-row.js';
import {
  findVolumesToRemove,
  findWanted,
  findWithPendingFiles,
  type VolumeToRemove,
} from '../agents/agents.repository.js';
import type { WorkspaceDriver, WorkspaceStatus } from '../sandboxes/index.js';
import { AwakeLeases } from './awake-leases.js';
import { WorkspaceLauncher } from './workspace-launcher.js';
import { WorkspaceUpdates } from './workspace-updates.js';
import { WorkspacesService } from './workspaces.service.js';

/** A workspace that ran this long is well again: what failed before counts no more. */
const SETTLED_MS = 60_000;
/** So long after the last request a workspace may be restarted for a changed configuration. */
const QUIET_MS = 5_000;
const BATCH = 20;

type Wanted = Pick<AgentRow, 'id' | 'status' | 'warmth_window_ms' | 'revision'>;
type Found = Awaited<ReturnType<WorkspaceDriver['list']>>;

/** Makes the workspaces match the rows. */
@Injectable()
export class Reconciler {
  /** Where the next round begins to remove volumes: those that cannot be removed shall not be all that it looks at. */
  private removedUpTo: VolumeToRemove | undefined;

  constructor(
    private readonly database: Database,
    private readonly launcher: WorkspaceLauncher,
    private readonly workspaces: WorkspacesService,
    private readonly updates: WorkspaceUpdates,
    private readonly leases: AwakeLeases,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Subscribes to the reports of workspaces and to the changes that other replicas were asked for. */
  start(): void {
    this.launcher.activity.start((agentId) => this.workspaces.endFlood(agentId));
    this.updates.start();
  }

  async stop(): Promise<void> {
    this.launcher.activity.stop();
    this.updates.stop();
    await this.launcher.driver.close();
  }

  /**
   * One round: stopped and idle workspaces sleep, crashed ones come back with backoff, volumes of deleted agents go,
   * those of agents that nobody knows are put to sleep but kept.
   */
  async reconcile(): Promise<void> {
    const seenAt = await this.leases.now();
    const lookedAt = Date.now();
    const found = await this.launcher.driver.list();
    const rows = await findWanted(
      this.database,
      found.map(({ agentId }) => agentId),
    );
    await this.renewLeases(seenAt, found);
    const agents = new Map(rows.map((row) => [row.id, row]));
    for (const { agentId, state } of found)
      await this.apart(agentId, async () => {
        const agent = agents.get(agentId);
        if (!agent) {
          if (state === 'running') await this.workspaces.sleep(agentId);
        } else if (state === 'running') await this.keepOrSleep(agent);
        else if (state !== 'starting') await this.restartIfCrashed(agent, state, lookedAt);
      });
    const volumes = await findVolumesToRemove(this.database, BATCH, this.removedUpTo);
    for (const { agentId } of volumes) await this.apart(agentId, () => this.workspaces.remove(agentId));
    this.removedUpTo = volumes.length < BATCH ? undefined : volumes.at(-1);
    for (const agentId of await findWithPendingFiles(this.database, BATCH))
      if (this.mayTry(agentId)) this.workspaces.ensureSoon(agentId);
  }

  private apart(agentId: string, work: () => Promise<void>): Promise<void> {
    return apart(work, (error) =>
      this.logger.warn({ agentId, err: error }, 'a workspace could not be looked after; the next round tries again'),
    );
  }

  private renewLeases(seenAt: string, found: Found): Promise<void> {
    const { activity } = this.launcher;
    const running = found.filter(({ state }) => state === 'running');
    return this.leases.renew(
      seenAt,
      running.map(({ agentId }) => ({
        agentId,
        sinceUseMs: activity.sinceUseMs(agentId) ?? 0,
        isReported: activity.hasReported(agentId),
      })),
      found.filter(({ state }) => state === 'asleep' || state === 'failed').map(({ agentId }) => agentId),
      this.workspaces.starting,
    );
  }

  private async keepOrSleep(agent: Wanted): Promise<void> {
    const { id, status } = agent;
    const { activity, specs } = this.launcher;
    const warmthMs = specs.warmthMs(agent);
    if (status === 'stopped') return this.workspaces.sleep(id);
    const awake = this.launcher.awake.get(id);
    if (awake && awake.revision < Number(agent.revision)) await this.updates.catchUp(id);
    const idleMs = activity.idleMs(id);
    if (idleMs === undefined) return activity.touch(id);
    if (awake?.isStale && idleMs > QUIET_MS) return this.workspaces.sleep(id);
    // A paused agent's files stay at hand; an agent in error is left as it was.
    if (status === 'active' && warmthMs !== null && idleMs > warmthMs) return this.workspaces.sleep(id);
    // It crashed, and another replica was asked for it first.
    if (awake?.since === 0) awake.since = Date.now();
    if (awake && Date.now() - awake.since > SETTLED_MS) this.workspaces.forgetFailures(id);
  }

  private async restartIfCrashed(
    { id, status }: Wanted,
    state: WorkspaceStatus['state'],
    lookedAt: number,
  ): Promise<void> {
    const { activity, awake } = this.launcher;
    const known = awake.get(id);
    // It was started since, when others of the round took long.
    if (known && known.since > lookedAt) return;
    // Whoever wakes it next wants it awake, however long ago it was used.
    activity.forget(id);
    if (!known || (status !== 'active' && status !== 'paused')) return;
    // What crashed is failed: another replica put this one to sleep, or an operator did.
    if (state === 'asleep') return void awake.delete(id);
    if (known.since > 0) {
      // Seen as crashed for the first time: counted once, then tried again when its wait is over.
      known.since = 0;
      const found = await this.launcher.driver.inspect(id);
      const why = found.state === 'failed' ? found.reason : `it is ${found.state}`;
      const error = new RoostError('AGENT_UNAVAILABLE', `the workspace keeps ending: ${why}`);
      await this.launcher.failed(id, error, known.revision);
      return;
    }
    if (!this.mayTry(id)) return;
    awake.delete(id);
    this.workspaces.ensureSoon(id);
  }

  private mayTry(agentId: string): boolean {
    return this.launcher.failures.backoff.mayTry(agentId);
  }
}
