import type { getRun, Run } from '#lib/contracts';
import type { z } from 'zod';

type Found = Pick<z.output<typeof getRun.output>, 'run' | 'attempts'>;

/** One run among the events of its agent: which of them are its own, and whether it is over. */
export class FollowedRun {
  private readonly turnIds = new Set<string>();
  private found: Run;
  private mayHaveEnded = false;

  constructor(
    found: Found,
    private readonly look: () => Promise<Found>,
  ) {
    this.found = this.learn(found);
  }

  get id(): string {
    return this.found.id;
  }

  /** The run as it was last looked at, once that showed it as ended. */
  get ended(): (Run & { endedAt: Date }) | undefined {
    const { endedAt } = this.found;
    return endedAt ? { ...this.found, endedAt } : undefined;
  }

  /** Whether it is to be looked at again: one of its attempts has ended, or nothing was to be seen of it for a while. */
  get isInDoubt(): boolean {
    return this.mayHaveEnded && !this.ended;
  }

  doubt(): void {
    this.mayHaveEnded = true;
  }

  /** Before events are read: when it is over then, its last one is among them. */
  async settle(): Promise<void> {
    if (!this.isInDoubt) return;
    this.found = this.learn(await this.look());
    this.mayHaveEnded = false;
  }

  /** Whether a durable event is of this run; notes its turns. */
  concerns(type: string, turnId: string | undefined, runId: unknown): boolean {
    if (turnId === undefined) return false;
    if (type === 'turn.started' && runId === this.id) this.turnIds.add(turnId);
    if (!this.turnIds.has(turnId)) return false;
    if (type !== 'turn.started') this.doubt();
    return true;
  }

  hasTurn(turnId: string): boolean {
    return this.turnIds.has(turnId);
  }

  private learn({ run, attempts }: Found): Run {
    for (const { turnId } of attempts) this.turnIds.add(turnId);
    return run;
  }
}
