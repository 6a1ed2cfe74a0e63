/** How often each attack was answered how. */
export class Tally {
  readonly answers: Record<string, Record<string, number>> = {};

  add(attack: string, answer: string): void {
    const of = (this.answers[attack] ??= {});
    of[answer] = (of[answer] ?? 0) + 1;
  }
}
