/** So many in each period, counted in whole periods: at the turn of two of them up to twice as many pass. */
export class RateLimit {
  private period = 0;
  private taken = 0;

  constructor(
    private readonly max: number,
    private readonly periodMs: number,
  ) {}

  /** Whether one more is allowed now. */
  take(): boolean {
    const period = Math.floor(performance.now() / this.periodMs);
    if (period !== this.period) this.taken = 0;
    this.period = period;
    this.taken += 1;
    return this.taken <= this.max;
  }
}
