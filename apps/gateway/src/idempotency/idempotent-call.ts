import { ERROR_STATUS, type ErrorCode } from '#lib/contracts';
import { ErrorBody } from '../http/error-body.js';
import type { Fingerprint } from './fingerprint.js';
import type { IdempotencyRepository, TakenKey } from './idempotency.repository.js';

/** A call that runs states so this often: well within the time after which it is taken for lost. */
const ALIVE_EVERY_MS = 4_000;
/** Refusals that a caller makes go away by waiting or freeing capacity: the same request is then carried out. */
const MAY_PASS: ErrorCode[] = ['RATE_LIMITED', 'QUOTA_EXCEEDED'];

/** A call that has taken its key, until its result is kept. */
export class IdempotentCall {
  private readonly alive: NodeJS.Timeout;
  private isCompleted = false;

  constructor(
    private readonly calls: IdempotencyRepository,
    private readonly taken: TakenKey,
    private readonly fingerprint: Fingerprint,
    readonly dedupeKey: string,
  ) {
    // One that fails is made up for in a moment.
    this.alive = setInterval(() => void calls.touch(taken).catch(() => undefined), ALIVE_EVERY_MS).unref();
  }

  /**
   * Keeps the result, before it is sent. A refusal is a result; a failure of ours is not, and the caller must be able to
   * try again. Only the first time counts.
   */
  async complete(body: unknown, status: number): Promise<void> {
    if (this.isCompleted) return;
    this.isCompleted = true;
    this.abandon();
    const isResult = !(body instanceof ErrorBody) || isRefusal(body.error.code);
    const whole = isResult ? await this.wholeOf(body) : undefined;
    if (whole === undefined) await this.calls.giveBack(this.taken);
    else await this.calls.keep(this.taken, whole, status, JSON.stringify(body ?? null));
  }

  /** States no longer that it runs: another gateway may carry it out soon. */
  abandon(): void {
    clearInterval(this.alive);
  }

  private wholeOf(body: unknown): Promise<string | undefined> {
    const whole = this.fingerprint.whole();
    return body instanceof ErrorBody ? whole.catch(() => undefined) : whole;
  }
}

const isRefusal = (code: ErrorCode) => ERROR_STATUS[code] < 500 && !MAY_PASS.includes(code);
