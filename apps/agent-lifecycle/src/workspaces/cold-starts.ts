import { CONFIG } from '#lib/bus';
import { ensureWorkspace, RoostError } from '#lib/contracts';
import { FairSlots, TooManyWaiting } from '#lib/fair-slots';
import { Inject, Injectable } from '@nestjs/common';
import type { LifecycleConfig } from '../config.js';

/** Of one account; more than it may have agents by default. Each waiting start is a closure and a promise. */
const MAX_WAITING = 1_000;

/**
 * Bounds how many workspaces this process starts at once, and shares that between accounts: an account that wakes
 * hundreds of agents makes others wait for no more than the start that ends next.
 */
@Injectable()
export class ColdStarts {
  private readonly slots: FairSlots;

  constructor(@Inject(CONFIG) config: Pick<LifecycleConfig, 'ROOST_MAX_STARTS'>) {
    this.slots = new FairSlots({ slots: config.ROOST_MAX_STARTS, maxWaiting: MAX_WAITING });
  }

  /**
   * Runs `start` when it is the account's turn. Errors: AGENT_UNAVAILABLE when its turn has not come while callers
   * wait for an answer, or too many starts of the account wait already. Nothing was started then.
   */
  async run<T>(accountId: string, start: () => Promise<T>): Promise<T> {
    const release = await this.slots
      .acquire(accountId, AbortSignal.timeout(ensureWorkspace.timeoutMs))
      .catch((error: unknown) => {
        throw startsWait(error instanceof TooManyWaiting ? 'too many of the account wait' : 'its turn did not come');
      });
    try {
      return await start();
    } finally {
      release();
    }
  }
}

const startsWait = (why: string) =>
  new RoostError('AGENT_UNAVAILABLE', `the workspace was not started, as other workspaces start (${why}): try again`, [
    { reason: 'starts_wait' },
  ]);
