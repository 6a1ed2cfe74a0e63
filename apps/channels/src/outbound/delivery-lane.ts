import { DeliveryError } from '../adapters/channel-adapter.js';
import { FailureCount, MAX_FAILURES } from '../adapters/failure-count.js';
import { mayPass } from '../adapters/may-pass.js';
import { clearUnreachable, linkIn } from '../bindings/bindings.repository.js';
import { currentChat, finish, type Outlet, resolveInterrupted, show } from './deliver.js';
import { claimDelivery, type Claimed, type DeliveryOutcome, type Lane } from './deliveries.repository.js';

/** Doubled with each failure on our side, so that a part is given up within some ten minutes. */
const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 120_000;
const OUR_SIDE = 'something goes wrong with it on our side, each time';

interface Tried {
  outcome: DeliveryOutcome;
  refusal?: DeliveryError;
  /** The binding says of the chat that it cannot be reached, and it was. */
  isReachedAgain?: boolean;
  /** What broke on our side, for the log. */
  problem?: Error;
}

/**
 * Shows the parts of a lane, one after the other, while its session holds the bot's lease. Whenever the database is away,
 * no part stays claimed that nobody is sending: its whole chat would wait behind it.
 */
export class DeliveryLane {
  /** Parts may be claimed that nobody is sending: `maybe` by a former holder that was, `never` by us when no answer came. */
  private interrupted: 'maybe' | 'never' | undefined = 'maybe';
  /** Writes what became of the last part, while that is not written. */
  private unwritten: (() => Promise<void>) | undefined;
  private readonly failures = new FailureCount();

  constructor(
    private readonly outlet: Outlet,
    private readonly lane: Lane,
  ) {}

  /** Shows the next part that is due, and returns its place; undefined when there is none. Parts of a place stay in order. */
  async deliverNext(): Promise<string | undefined> {
    const { database, lease, moves } = this.outlet;
    await moves.loaded();
    await this.write();
    const claimed = await this.claim();
    if (!claimed) return undefined;
    const { outcome, refusal, isReachedAgain, problem } = await this.tried(claimed);
    this.unwritten = async () => {
      await finish(this.outlet, claimed, outcome, refusal);
      if (isReachedAgain) await clearUnreachable(database, lease, currentChat(this.outlet, claimed.place));
    };
    await this.write();
    if (problem !== undefined) throw problem;
    return claimed.place;
  }

  private async write(): Promise<void> {
    try {
      await this.unwritten?.();
    } catch (error) {
      if (mayPass(error)) throw error;
      // It can never be written: the part is treated as one that nobody knows about.
      this.interrupted = 'maybe';
      this.unwritten = undefined;
      throw error;
    }
    this.unwritten = undefined;
  }

  private async claim(): Promise<Claimed | undefined> {
    const { adapter, database, lease } = this.outlet;
    if (this.interrupted) {
      const isRepeatable = adapter.isIdempotent || this.interrupted === 'never';
      await resolveInterrupted(this.outlet, this.lane, isRepeatable);
    }
    this.interrupted = 'never';
    const claimed = await claimDelivery(database, lease, this.lane);
    this.interrupted = undefined;
    return claimed;
  }

  private async tried(claimed: Claimed): Promise<Tried> {
    const { adapter, database, lease } = this.outlet;
    // A question shown twice is decided once; one that nobody saw waits until it expires.
    let isRepeatable = true;
    try {
      const link = await linkIn(database, lease, {
        agentId: claimed.agent_id,
        chat: currentChat(this.outlet, claimed.place),
        isGroup: adapter.isGroup(claimed.place),
      });
      if (!link) return { outcome: { state: 'failed', reason: 'not linked any more' } };
      if (claimed.lacks_file)
        return { outcome: { state: 'failed', reason: 'the file of its arguments could not be shown' } };
      isRepeatable = adapter.isIdempotent || claimed.card !== null;
      const messageId = await show(this.outlet, claimed);
      this.failures.forget(claimed.id);
      return { outcome: { state: 'done', messageId }, isReachedAgain: link.isUnreachable };
    } catch (error) {
      if (error instanceof DeliveryError) return { outcome: outcomeOf(error, isRepeatable), refusal: error };
      const problem = error instanceof Error ? error : new Error(String(error));
      return { outcome: this.broken(claimed, error, isRepeatable), problem };
    }
  }

  /** Something broke on our side. */
  private broken({ id }: Claimed, error: unknown, isRepeatable: boolean): DeliveryOutcome {
    if (!isRepeatable) return { state: 'uncertain', reason: 'sending broke off' };
    if (mayPass(error)) return { state: 'pending', reason: 'sending broke off', retryAfterMs: FIRST_PAUSE_MS };
    const failures = this.failures.add(id);
    if (failures >= MAX_FAILURES) {
      this.failures.forget(id);
      return { state: 'failed', reason: OUR_SIDE };
    }
    const retryAfterMs = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS);
    return { state: 'pending', reason: OUR_SIDE, retryAfterMs };
  }
}

function outcomeOf({ outcome, message, retryAfterMs }: DeliveryError, isRepeatable: boolean): DeliveryOutcome {
  const mayRepeat = outcome === 'retry' || (outcome === 'uncertain' && isRepeatable);
  return {
    state: mayRepeat ? 'pending' : outcome === 'uncertain' ? 'uncertain' : 'failed',
    reason: message,
    retryAfterMs,
  };
}
