import type { LivePublisher } from './live-publisher.js';

const MAX_CHARS = 1_000_000;

/** The reply as it grows. What was streamed live and what is stored in the end are the same text. */
export class ReplyText {
  private text = '';
  private isNewStep = false;
  /** Until a step has any text, blanks are nothing to show. */
  private awaitsWords = true;

  constructor(private readonly live: Pick<LivePublisher, 'text' | 'restarted'>) {}

  get value(): string {
    return this.text;
  }

  /** Takes back what came after the first `chars`: a try that came to nothing. Readers of the live view begin anew. */
  takeBack(chars: number): void {
    const kept = this.text.slice(0, chars);
    if (kept === this.text) return;
    this.text = '';
    this.isNewStep = false;
    this.awaitsWords = true;
    this.live.restarted();
    this.resume(kept);
  }

  /** Begins with the text of an earlier attempt. */
  resume(text: string): void {
    this.add(text);
    this.nextStep();
  }

  /** The next text belongs to a later model step: it starts a paragraph of its own. */
  nextStep(): void {
    this.isNewStep = this.text !== '';
    this.awaitsWords = true;
  }

  add(delta: string): void {
    const words = this.awaitsWords ? delta.trimStart() : delta;
    if (!words) return;
    this.awaitsWords = false;
    const separator = this.isNewStep ? '\n\n' : '';
    this.isNewStep = false;
    const addition = (separator + words).slice(0, Math.max(0, MAX_CHARS - this.text.length));
    this.text += addition;
    this.live.text(addition);
  }

  /** A word of the platform at the reply's end, e.g. why it ends here. */
  note(sentence: string): void {
    this.nextStep();
    this.add(`[${sentence}]`);
  }
}
