import type { LivePublisher } from './live-publisher.js';

const MAX_CHARS = 1_000_000;

/** The reply as it grows. What was streamed live and what is stored in the end are the same text. */
export class ReplyText {
  private text = '';
  private isNewStep = false;

  constructor(private readonly live: Pick<LivePublisher, 'text'>) {}

  get value(): string {
    return this.text;
  }

  /** Begins with what an earlier attempt had said. */
  resume(text: string): void {
    this.add(text);
    this.nextStep();
  }

  /** The next text belongs to a later model step: it starts a paragraph of its own. */
  nextStep(): void {
    this.isNewStep = this.text !== '';
  }

  add(delta: string): void {
    if (!delta) return;
    const separator = this.isNewStep ? '\n\n' : '';
    this.isNewStep = false;
    const addition = (separator + delta).slice(0, Math.max(0, MAX_CHARS - this.text.length));
    this.text += addition;
    this.live.text(addition);
  }

  /** A word of the platform at the reply's end, e.g. why it ends here. */
  note(sentence: string): void {
    this.nextStep();
    this.add(`[${sentence}]`);
  }
}
