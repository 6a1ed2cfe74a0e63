import { maskSecrets } from '../models/provider-message.js';

/** What is kept of a tool call's arguments and of its result, each. */
const MAX_CHARS = 4_000;
/** Read before it is masked and cut: more than what tools give, which is bounded by each of them. */
const MAX_READ = 40_000;
/** Shorter values are words and numbers that any text has, such as `1` or `on`. */
const MIN_SECRET_CHARS = 6;

export interface StepText {
  text: string;
  isTruncated: boolean;
}

/** Takes secrets out of what is kept of a run: those that are known, and what looks like one. */
export class SecretMask {
  private secrets: string[] = [];

  /** Values that must not be shown, whatever they look like. */
  add(values: Iterable<string>): void {
    const found = [...values].filter((value) => value.length >= MIN_SECRET_CHARS);
    // In JSON a quote or a line's end is written otherwise.
    const written = found.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]);
    this.secrets = [...new Set([...this.secrets, ...written])].toSorted((a, b) => b.length - a.length);
  }

  /** The text without secrets, cut with its head and tail kept; what Postgres cannot hold is left out. */
  shown(text: string): StepText {
    // A cut goes through no secret that would then be known as none: it is masked first, and more is read than is kept.
    const read = text.length > MAX_READ ? `${text.slice(0, MAX_READ / 2)}${text.slice(-MAX_READ / 2)}` : text;
    const masked = maskSecrets(this.secrets.reduce((shown, secret) => shown.replaceAll(secret, '***'), read));
    const isTruncated = text.length > MAX_READ || masked.length > MAX_CHARS;
    const half = MAX_CHARS / 2 - 20;
    const cut = masked.length > MAX_CHARS ? `${masked.slice(0, half)}\n[… cut …]\n${masked.slice(-half)}` : masked;
    return { text: cut.toWellFormed().replaceAll('\0', '�'), isTruncated };
  }
}
