import { Sealer } from '#lib/auth';
import { CONFIG } from '#lib/bus';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { AgentRow } from '../agents/agent-row.js';
import { openSecrets } from '../agents/agent-secrets.js';
import { allowedResources, allowedWarmthMs } from '../agents/maxima.js';
import type { LifecycleConfig } from '../config.js';
import type { WorkspaceDriver, WorkspaceSpec } from '../sandboxes/index.js';
import { placeholdersOf } from '../vault/grants.repository.js';
import { Activity } from './activity.js';
import { WorkspaceFailures } from './failures.js';
import { DRIVER } from './make-driver.js';
import { WorkspaceFiles } from './workspace-files.js';

interface Awake {
  since: number;
  /** Of the agent's row, as it counts in the sandbox. */
  revision: number;
  /** What the sandbox was made for, as a digest. */
  madeFor: string;
  /** Its sandbox was made for a configuration that has changed since. */
  isStale: boolean;
}

/** What a workspace is made for, by an agent's row and within the operator's maxima. */
@Injectable()
export class WorkspaceSpecs {
  constructor(
    private readonly sealer: Sealer,
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: LifecycleConfig,
  ) {}

  async of(agent: AgentRow): Promise<WorkspaceSpec> {
    const { network } = agent.configuration;
    return {
      agentId: agent.id,
      accountId: agent.account_id,
      ...allowedResources(agent, this.config),
      env: {
        ...openSecrets(this.sealer, agent).customEnv,
        ...(await placeholdersOf(this.database, agent.id)),
      },
      network: network ?? { mode: 'public' },
    };
  }

  /** The idle time after which it sleeps; null is never. */
  warmthMs(agent: Pick<AgentRow, 'warmth_window_ms'>): number | null {
    return allowedWarmthMs(agent.warmth_window_ms, this.config);
  }
}

/** Has the driver start, change and stop sandboxes, and knows which of them this process started. */
@Injectable()
export class WorkspaceLauncher {
  /** Those that should be running: woken by us and not put to sleep since. */
  readonly awake = new Map<string, Awake>();

  constructor(
    @Inject(DRIVER) readonly driver: WorkspaceDriver,
    readonly activity: Activity,
    readonly failures: WorkspaceFailures,
    readonly specs: WorkspaceSpecs,
    private readonly files: WorkspaceFiles,
  ) {}

  /** Resolves when the workspace answers and its initial files are in it. A failure is counted. */
  async start(agent: AgentRow, spec: WorkspaceSpec): Promise<void> {
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
      await this.files.writePending(agent.id);
    } catch (error) {
      await this.failed(agent.id, error, Number(agent.revision));
      throw error;
    }
  }

  async stop(agentId: string): Promise<void> {
    this.awake.delete(agentId);
    await this.driver.sleep(agentId);
  }

  /** Stops the workspace and deletes its volume. */
  async remove(agentId: string): Promise<void> {
    this.awake.delete(agentId);
    this.failures.backoff.clear(agentId);
    await this.driver.remove(agentId);
    this.activity.forget(agentId);
  }

  /** Makes a changed configuration count in a sandbox that we started: the network at once, the rest when it is quiet. */
  async update(agent: AgentRow): Promise<void> {
    const awake = this.awake.get(agent.id);
    const revision = Number(agent.revision);
    if (!awake || awake.revision >= revision) return;
    const before = awake.revision;
    awake.revision = revision;
    try {
      const spec = await this.specs.of(agent);
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

  /** A state that the driver cannot find out counts as not running: the start that follows finds out why, and counts it. */
  isRunning(agentId: string): Promise<boolean> {
    return this.driver.inspect(agentId).then(
      ({ state }) => state === 'running',
      () => false,
    );
  }

  /** Counts a failure of a workspace that was made for that revision, and gives its agent up when there are too many. */
  async failed(agentId: string, error: unknown, revision: number): Promise<void> {
    if (!this.failures.isTooMany(agentId, error, this.driver.whyNever !== undefined)) return;
    this.awake.delete(agentId);
    await this.failures.giveUp(agentId, error, revision);
  }
}

const digestOf = (spec: WorkspaceSpec) => createHash('sha256').update(JSON.stringify(spec)).digest('base64');
