/** Platforms show a typing hint for five to ten seconds. */
const REPEAT_MS = 4_000;
/** A turn that takes longer without a sign of life is not "typing" any more. */
const MAX_MS = 10 * 60_000;

/** Where a turn is running, so that "is typing" is renewed until something is shown. */
export class Typing {
  private readonly places = new Map<string, { since: number; shownAt: number }>();

  constructor(private readonly show: (place: string) => Promise<void>) {}

  begin(place: string): void {
    this.places.set(place, { since: Date.now(), shownAt: 0 });
    this.tick();
  }

  end(place: string): void {
    this.places.delete(place);
  }

  /** To be called about once a second. */
  tick(): void {
    const now = Date.now();
    for (const [place, typing] of this.places) {
      if (now - typing.since > MAX_MS) this.places.delete(place);
      else if (now - typing.shownAt >= REPEAT_MS) {
        typing.shownAt = now;
        // A hint: that it was not shown is of no consequence.
        void this.show(place).catch(() => undefined);
      }
    }
  }
}
