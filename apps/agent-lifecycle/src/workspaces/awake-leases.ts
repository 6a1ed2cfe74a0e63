import { QUOTAS, RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { FairSlots, TooManyWaiting } from '#lib/fair-slots';
import { AccountLimits } from '#lib/quotas';
import { Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentRow } from '../agents/agent-row.js';
import {
  countAwake,
  databaseTime,
  deleteEnded,
  deleteExpired,
  deleteLeases,
  deleteStarting,
  extendLease,
  findOthersAwake,
  hasLease,
  insertLease,
  lockAwakeOf,
  renewRunning,
  renewStarting,
  type SeenRunning,
} from './awake-leases.repository.js';

export const AWAKE_TIMES = {
  /** How long a wake waits for the quota: half of what its caller waits for the answer, the rest is for the start. */
  waitMs: 30_000,
  /** So long after its last use a workspace may be put to sleep for another. Uses are reported once a second. */
  minIdleMs: 3_000,
  /** So long after its start a workspace is reserved for whoever it was started for, until it is asked for something. */
  startGraceMs: 10_000,
  /** Many rounds of `reconcile`, which renews it: a lifecycle that is killed blocks no account for longer. */
  leaseMs: 60_000,
  pollMs: 200,
};
/** Of one account in this process; more than it may have agents by default. */
const MAX_WAITING = 1_000;
/** Accounts that may ask for the quota at once in this process; each is one connection for a few milliseconds. */
const MAX_ACCOUNTS = 1_000_000;

/** What the workspaces service knows and can do. */
export interface Workspaces {
  /** Since it was last asked for something; undefined when that is unknown, 0 while it works. */
  idleMs(agentId: string): number | undefined;
  sleep(agentId: string): Promise<void>;
}

type Agent = Pick<AgentRow, 'id' | 'account_id'>;
interface Attempt {
  isTaken: boolean;
  used: number;
  limit: number;
  /** They have given up their leases and must be put to sleep, before the start when it is taken. */
  evicted: string[];
}

/**
 * The quota of awake workspaces: a lease per workspace that runs or starts, exact over all replicas by a lock per
 * account. When an account is full, its least recently used idle workspace is put to sleep for the one that wakes.
 */
@Injectable()
export class AwakeLeases {
  /** Of each account one wake at a time asks for the quota, so that they come in the order in which they asked. */
  private readonly slots = new FairSlots({ slots: MAX_ACCOUNTS, perAccount: 1, maxWaiting: MAX_WAITING });
  /** Agents whose wakes wait for the quota in this process. */
  private readonly waiting = new Set<string>();
  times = AWAKE_TIMES;

  constructor(
    private readonly database: Database,
    private readonly limits: AccountLimits,
  ) {}

  /**
   * Resolves when the agent's workspace may start. First come, first served among an account's wakes in this process;
   * no order is promised between replicas. Errors: AGENT_UNAVAILABLE with quota, limit and use when the quota is used up
   * for 30 seconds.
   */
  async take(agent: Agent, workspaces: Workspaces): Promise<void> {
    this.waiting.add(agent.id);
    const evicted = await this.takeInTurn(agent, workspaces).finally(() => this.waiting.delete(agent.id));
    try {
      await Promise.all(evicted.map((agentId) => workspaces.sleep(agentId)));
    } catch (error) {
      await this.release(agent.id);
      throw error;
    }
  }

  /**
   * Whether the agent's wake waits for the quota. Another replica may have started its workspace meanwhile: that one may
   * be put to sleep for a wake that is served earlier, or the two would wait for each other.
   */
  isWaiting(agentId: string): boolean {
    return this.waiting.has(agentId);
  }

  /** Whether the agent's workspace may start or go on running: another wake may have made it give its lease up. */
  isHeld(agentId: string): Promise<boolean> {
    return hasLease(this.database, agentId);
  }

  /** From now on it may be put to sleep for another when it is idle. False: its lease was given up while it started. */
  started(agentId: string): Promise<boolean> {
    return extendLease(this.database, agentId, this.times.startGraceMs, this.times.leaseMs);
  }

  /** The start that the lease was taken for has failed. That of a workspace which another replica has started stays. */
  release(agentId: string): Promise<void> {
    return deleteStarting(this.database, agentId);
  }

  /** There is no such workspace any more. */
  removed(agentId: string): Promise<void> {
    return deleteLeases(this.database, [agentId]);
  }

  /** It was put to sleep after `since`. A lease for its next start stays, also where it has been started since then. */
  ended(agentId: string, since: string): Promise<void> {
    return deleteEnded(this.database, [agentId], since);
  }

  /**
   * Renews the leases of workspaces that were seen running and of `starting`, which this process starts; those that have
   * none get one: it was lost, or another version of this service woke them. What is no longer running loses its own,
   * unless it was started since `seenAt`, when the drivers were asked.
   */
  async renew(seenAt: string, running: SeenRunning[], notRunning: string[], starting: string[]): Promise<void> {
    const { leaseMs } = this.times;
    await deleteEnded(this.database, notRunning, seenAt);
    await renewRunning(this.database, running, seenAt, leaseMs);
    if (starting.length > 0) await renewStarting(this.database, starting, leaseMs);
    await deleteExpired(this.database);
  }

  /** By the database's clock, as `ended` and `renew` take it. */
  now(): Promise<string> {
    return databaseTime(this.database);
  }

  /** Returns the agents that gave up their leases and must be put to sleep. */
  private takeInTurn(agent: Agent, workspaces: Workspaces): Promise<string[]> {
    const deadline = Date.now() + this.times.waitMs;
    return this.inTurn(agent.account_id, async () => {
      for (;;) {
        const attempt = await this.attempt(agent, workspaces);
        if (attempt.isTaken) return attempt.evicted;
        await Promise.all(attempt.evicted.map((agentId) => workspaces.sleep(agentId)));
        if (attempt.limit === 0 || Date.now() > deadline) throw isFull(attempt);
        await delay(this.times.pollMs);
      }
    });
  }

  private async inTurn<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const release = await this.slots
      .acquire(accountId, AbortSignal.timeout(this.times.waitMs))
      .catch(async (error: unknown) => {
        if (!(error instanceof TooManyWaiting) && !isTimeout(error)) throw error;
        const limit = await this.limits.recent(accountId, 'awake_workspaces');
        throw isFull({ limit, used: await countAwake(this.database, accountId) });
      });
    try {
      return await work();
    } finally {
      release();
    }
  }

  private async attempt(agent: Agent, workspaces: Workspaces): Promise<Attempt> {
    const { minIdleMs, leaseMs } = this.times;
    const limit = await this.limits.recent(agent.account_id, 'awake_workspaces');
    return this.database.transaction(async (tx) => {
      await lockAwakeOf(tx, agent.account_id);
      const { used, idle } = await findOthersAwake(tx, agent, limit, { minIdleMs, maxIdle: MAX_WAITING });
      const excess = used + 1 - limit;
      // The row may be some seconds old; what was reported to this process since counts as well.
      const isIdle = (agentId: string) => (workspaces.idleMs(agentId) ?? minIdleMs) >= minIdleMs;
      const evicted = limit === 0 || excess <= 0 ? [] : idle.filter(isIdle).slice(0, excess);
      if (evicted.length > 0) await deleteLeases(tx, evicted);
      if (evicted.length < excess) return { isTaken: false, used, limit, evicted };
      return { isTaken: true, used, limit, evicted: await insertLease(tx, agent, evicted, leaseMs) };
    });
  }
}

const isTimeout = (error: unknown) => error instanceof DOMException && error.name === 'TimeoutError';

function isFull({ limit, used }: { limit: number; used: number }): RoostError {
  const quota = 'awake_workspaces';
  const { what, remedy } = QUOTAS[quota];
  return new RoostError(
    'AGENT_UNAVAILABLE',
    `the account may have at most ${limit} ${what} and has ${used}, all of them in use: ${remedy}, or ask the operator to raise the quota ${quota}`,
    [{ reason: 'quota_exceeded', quota, limit, used }],
    10,
  );
}
