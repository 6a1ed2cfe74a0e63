import { CONFIG } from '#lib/bus';
import { RoostError } from '#lib/contracts';
import { Database } from '#lib/database';
import { Inject, Injectable } from '@nestjs/common';
import { stateOf } from '../agents/agent-row.js';
import { lockAgent } from '../agents/agents.repository.js';
import { OtherServices } from '../agents/other-services.js';
import type { LifecycleConfig } from '../config.js';
import { isHostAway } from '../sandboxes/host-errors.js';
import { StatusChanges } from '../states/status-changes.js';

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

interface Failure {
  count: number;
  retryAt: number;
}

/** How often in a row a workspace failed, and when it may be tried again: the wait doubles, up to a minute. */
export class Backoff {
  private readonly failures = new Map<string, Failure>();

  constructor(private readonly firstWaitMs = FIRST_WAIT_MS) {}

  /** The count after this failure. */
  add(agentId: string): number {
    const count = (this.failures.get(agentId)?.count ?? 0) + 1;
    const waitMs = Math.min(this.firstWaitMs * 2 ** (count - 1), MAX_WAIT_MS);
    this.failures.set(agentId, { count, retryAt: performance.now() + waitMs });
    return count;
  }

  mayTry(agentId: string): boolean {
    return (this.failures.get(agentId)?.retryAt ?? 0) <= performance.now();
  }

  clear(agentId: string): void {
    this.failures.delete(agentId);
  }
}

/** Counts failures of workspaces; too many in a row, or one that no retry repairs, put the agent in `error`. */
@Injectable()
export class WorkspaceFailures {
  readonly backoff = new Backoff();

  constructor(
    private readonly database: Database,
    private readonly changes: StatusChanges,
    private readonly others: OtherServices,
    @Inject(CONFIG) private readonly config: Pick<LifecycleConfig, 'ROOST_WORKSPACE_TRIES'>,
  ) {}

  /** Counts a failure. True: it was one too many, and the agent has to be given up. `isFinal`: no retry repairs it. */
  isTooMany(agentId: string, error: unknown, isFinal: boolean): boolean {
    // Every caller runs into a host that is away: once per wait, so that a moment of it is not too many in a row.
    if (isHostAway(error) && !this.backoff.mayTry(agentId)) return false;
    const count = this.backoff.add(agentId);
    if (count < this.config.ROOST_WORKSPACE_TRIES && !isFinal) return false;
    this.backoff.clear(agentId);
    return true;
  }

  /** Puts the agent in `error` with the reason, unless it is another than that `revision` which failed. */
  async giveUp(agentId: string, error: unknown, revision: number): Promise<void> {
    const reason = error instanceof RoostError ? error.message : 'the workspace keeps failing';
    const key = { agentId, accountId: null };
    const change = await this.database.transaction(async (tx) => {
      // Who has changed it since, or resumed it, wants it tried as it is now.
      const current = await lockAgent(tx, key);
      return Number(current.revision) === revision ? this.changes.apply(tx, key, 'fail', reason) : undefined;
    });
    if (change?.hasChanged) await this.others.syncMessagingState(stateOf(change.agent));
  }
}
