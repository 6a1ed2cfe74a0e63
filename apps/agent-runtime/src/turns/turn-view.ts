import type { ModelMessage } from 'ai';

/**
 * What the model sees of a turn's growing list of messages: an older part may be replaced by its summary, and
 * words of the platform may be put in between. The list itself, which the transcript keeps, is not changed.
 */
export class TurnView {
  private summary: { upTo: number; message: ModelMessage } | undefined;
  private readonly notes: { at: number; message: ModelMessage }[] = [];

  /** Replaces everything before `upTo` of the full list. */
  summarised(upTo: number, message: ModelMessage): void {
    this.summary = { upTo, message };
  }

  /** Says something to the model after the first `at` messages. */
  note(at: number, text: string): void {
    this.notes.push({ at, message: { role: 'user', content: `[${text}]` } });
  }

  /** How many messages of the full list are behind the summary. */
  get hidden(): number {
    return this.summary?.upTo ?? 0;
  }

  apply(messages: ModelMessage[]): ModelMessage[] {
    const seen: ModelMessage[] = this.summary ? [this.summary.message] : [];
    for (let at = this.hidden; at <= messages.length; at++) {
      for (const note of this.notes) if (note.at === at) seen.push(note.message);
      const message = messages[at];
      if (message) seen.push(message);
    }
    return seen;
  }
}
