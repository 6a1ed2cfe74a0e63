import { QUOTAS, RoostError } from '#lib/contracts';
import { Database, type Transaction } from '#lib/database';
import { FairSlots, TooManyWaiting } from '#lib/fair-slots';
import { AccountLimits, countRows } from '#lib/quotas';
import { Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentRow } from '../agents/agent-row.js';

export const AWAKE_TIMES = {
  /** How long a wake waits for room: half of what its caller waits for the answer, the rest is for the start. */
  waitMs: 30_000,
  /** So long after its last use a workspace may be put to sleep for another. Uses are reported once a second. */
  minIdleMs: 3_000,
  /** So long after its start a workspace is kept for whoever it was started for, until it is asked for something. */
  startGraceMs: 10_000,
  /** Many rounds of `reconcile`, which renews it: a lifecycle that is killed blocks no account for longer. */
  leaseMs: 60_000,
  pollMs: 200,
};
/** Of one account in this process; more than it may have agents by default. */
const MAX_WAITING = 1_000;
/** Accounts that may look for room at once in this process; each is one connection for a few milliseconds. */
const MAX_ACCOUNTS = 1_000_000;
const COUNTS = 'expires_at > now()';

/** What the workspaces service knows and can do. */
export interface Workspaces {
  /** Since it was last asked for something; undefined when that is unknown, 0 while it works. */
  idleMs(agentId: string): number | undefined;
  sleep(agentId: string): Promise<void>;
}

export interface SeenRunning {
  agentId: string;
  /** Negative while it is used, by how long that may take. */
  sinceUseMs: number;
  /** The workspace itself reported its use; otherwise what another replica wrote is kept. */
  isReported: boolean;
}

type Agent = Pick<AgentRow, 'id' | 'account_id'>;
interface Attempt {
  isTaken: boolean;
  used: number;
  limit: number;
  /** They have given up their leases and must be put to sleep. */
  evicted: string[];
}

/**
 * The quota of awake workspaces: a lease per workspace that runs or starts, exact over all replicas by a lock per
 * account. When an account is full, its least recently used idle workspace is put to sleep for the one that wakes.
 */
@Injectable()
export class AwakeLeases {
  /** Of each account one wake at a time looks for room, so that they come in the order in which they asked. */
  private readonly turns = new FairSlots({ slots: MAX_ACCOUNTS, perAccount: 1, maxWaiting: MAX_WAITING });
  times = AWAKE_TIMES;

  constructor(
    private readonly database: Database,
    private readonly limits: AccountLimits,
  ) {}

  /**
   * Resolves when the agent's workspace may start. First come, first served among an account's wakes in this process;
   * no order is promised between replicas. Errors: AGENT_UNAVAILABLE with quota, limit and use when there is no room
   * for 30 seconds.
   */
  async take(agent: Agent, workspaces: Workspaces): Promise<void> {
    const deadline = Date.now() + this.times.waitMs;
    const evicted = await this.inTurn(agent.account_id, async () => {
      for (;;) {
        const attempt = await this.attempt(agent, workspaces);
        if (attempt.isTaken) return attempt.evicted;
        await Promise.all(attempt.evicted.map((agentId) => workspaces.sleep(agentId)));
        if (attempt.limit === 0 || Date.now() > deadline) throw isFull(attempt);
        await delay(this.times.pollMs);
      }
    });
    try {
      await Promise.all(evicted.map((agentId) => workspaces.sleep(agentId)));
    } catch (error) {
      await this.release(agent.id);
      throw error;
    }
  }

  /** From now on it may be put to sleep for another when it is idle. */
  async started(agentId: string): Promise<void> {
    await this.database.query(
      `UPDATE awake_workspaces SET is_running = true, used_until = now() + $2 * interval '1 millisecond',
         expires_at = ${this.expiry()} WHERE agent_id = $1`,
      [agentId, this.times.startGraceMs],
    );
  }

  /** The start that the lease was taken for has failed. */
  async release(agentId: string): Promise<void> {
    await this.database.query(`DELETE FROM awake_workspaces WHERE agent_id = $1`, [agentId]);
  }

  /** It sleeps. A lease that was taken meanwhile for its next start stays. */
  async ended(agentId: string): Promise<void> {
    await this.database.query(`DELETE FROM awake_workspaces WHERE agent_id = $1 AND is_running`, [agentId]);
  }

  /**
   * Renews the leases of workspaces that were seen running and of `starting`, which this process starts; those that have
   * none get one: it was lost, or another version of this service woke them. What is no longer running loses its own,
   * unless it was renewed since `seenAt`, when the drivers were asked.
   */
  async renew(seenAt: Date, running: SeenRunning[], notRunning: string[], starting: string[]): Promise<void> {
    await this.database.query(
      `DELETE FROM awake_workspaces WHERE agent_id = ANY($1) AND is_running
         AND expires_at < $2::timestamptz + ${this.times.leaseMs} * interval '1 millisecond'`,
      [notRunning, seenAt],
    );
    await this.database.query(
      `INSERT INTO awake_workspaces AS known (agent_id, account_id, is_running, used_until, expires_at)
       SELECT id, account_id, true, now() - since_ms * interval '1 millisecond', ${this.expiry()}
       FROM unnest($1::uuid[], $2::float8[]) AS seen (agent_id, since_ms) JOIN agents ON id = seen.agent_id
       ON CONFLICT (agent_id) DO UPDATE SET is_running = true, expires_at = excluded.expires_at, used_until = CASE
         WHEN known.agent_id = ANY($3) THEN excluded.used_until ELSE GREATEST(known.used_until, excluded.used_until) END`,
      [
        running.map(({ agentId }) => agentId),
        running.map(({ sinceUseMs }) => sinceUseMs),
        running.filter(({ isReported }) => isReported).map(({ agentId }) => agentId),
      ],
    );
    if (starting.length > 0)
      await this.database.query(
        `UPDATE awake_workspaces SET expires_at = ${this.expiry()} WHERE agent_id = ANY($1) AND NOT is_running`,
        [starting],
      );
    await this.database.query(`DELETE FROM awake_workspaces WHERE expires_at < now()`);
  }

  /** By the database's clock. */
  async now(): Promise<Date> {
    const [row] = await this.database.query<{ now: Date }>(`SELECT now()`);
    return row?.now ?? new Date(0);
  }

  private async inTurn<T>(accountId: string, work: () => Promise<T>): Promise<T> {
    const release = await this.turns
      .acquire(accountId, AbortSignal.timeout(this.times.waitMs))
      .catch(async (error: unknown) => {
        if (!(error instanceof TooManyWaiting) && !isTimeout(error)) throw error;
        const limit = await this.limits.recent(accountId, 'awake_workspaces');
        throw isFull({ limit, used: await awakeOf(this.database, accountId) });
      });
    try {
      return await work();
    } finally {
      release();
    }
  }

  private async attempt(agent: Agent, workspaces: Workspaces): Promise<Attempt> {
    const limit = await this.limits.recent(agent.account_id, 'awake_workspaces');
    return this.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('awake ' || $1, 0))`, [agent.account_id]);
      const others = await othersAwake(tx, agent);
      const excess = others + 1 - limit;
      const evicted = limit === 0 || excess <= 0 ? [] : (await this.idleOf(tx, agent, workspaces)).slice(0, excess);
      if (evicted.length > 0) await tx.query(`DELETE FROM awake_workspaces WHERE agent_id = ANY($1)`, [evicted]);
      const isTaken = evicted.length >= excess;
      if (isTaken)
        await tx.query(
          `INSERT INTO awake_workspaces (agent_id, account_id, expires_at) VALUES ($1, $2, ${this.expiry()})
           ON CONFLICT (agent_id) DO UPDATE SET is_running = false, expires_at = excluded.expires_at`,
          [agent.id, agent.account_id],
        );
      return { isTaken, used: others, limit, evicted };
    });
  }

  /** Least recently used first; those that are meant never to sleep last. */
  private async idleOf(tx: Transaction, agent: Agent, workspaces: Workspaces): Promise<string[]> {
    const { minIdleMs } = this.times;
    const rows = await tx.query<{ agent_id: string }>(
      `SELECT agent_id FROM awake_workspaces LEFT JOIN agents ON id = agent_id
       WHERE awake_workspaces.account_id = $1 AND agent_id <> $2 AND ${COUNTS} AND is_running
         AND used_until < now() - ${minIdleMs} * interval '1 millisecond'
       ORDER BY warmth_window_ms IS NULL, used_until LIMIT ${MAX_WAITING}`,
      [agent.account_id, agent.id],
    );
    // The row may be some seconds old; what this process has heard since counts as well.
    const isIdle = (agentId: string) => (workspaces.idleMs(agentId) ?? minIdleMs) >= minIdleMs;
    return rows.map(({ agent_id: agentId }) => agentId).filter(isIdle);
  }

  private expiry(): string {
    return `now() + ${this.times.leaseMs} * interval '1 millisecond'`;
  }
}

export const awakeOf = (queries: Pick<Transaction, 'query'>, accountId: string) =>
  countRows(queries, 'awake_workspaces', accountId, COUNTS);

async function othersAwake(tx: Transaction, agent: Agent): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM awake_workspaces WHERE account_id = $1 AND agent_id <> $2 AND ${COUNTS}`,
    [agent.account_id, agent.id],
  );
  return row?.count ?? 0;
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
