/** One server-sent event. */
export interface SseEvent {
  /** Absent where an id came alone: it only moves the place from which a reader resumes. */
  data: string | undefined;
  event: string;
  /** The last id that the stream has given, up to this event. */
  lastEventId: string | undefined;
}

/** Larger than any event that Roost sends: the replies of one turn. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024;

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

/**
 * Reads server-sent events as the HTML standard has it, from text in pieces of any size. What it holds is bounded.
 * Errors: EventTooLargeError.
 */
export class SseParser {
  /** What the stream asks readers to wait before they connect again. */
  retryMs: number | undefined;
  private rest = '';
  private isAfterCr = false;
  private isFirst = true;
  private data: string[] = [];
  private size = 0;
  private type = '';
  private id: string | undefined;
  private hasNewId = false;

  constructor(private readonly maxCharacters = MAX_EVENT_CHARACTERS) {}

  *push(piece: string): Generator<SseEvent> {
    let text = piece;
    if (this.isFirst && text !== '') {
      this.isFirst = false;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    // The second half of a line end whose first came with the piece before.
    if (this.isAfterCr && text !== '') {
      if (text.startsWith('\n')) text = text.slice(1);
      this.isAfterCr = false;
    }
    let start = 0;
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      const line = this.rest + text.slice(start, end.index);
      this.rest = '';
      start = end.index + end[0].length;
      this.isAfterCr = end[0] === '\r' && start === text.length;
      const event = this.line(line);
      if (event) yield event;
    }
    this.rest += text.slice(start);
    this.bound(this.rest.length);
  }

  private line(line: string): SseEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    // A comment: the server is still there.
    if (colon === 0) return undefined;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.bound(value.length);
      this.data.push(value);
      this.size += value.length + 1;
    } else if (field === 'event') this.type = value;
    else if (field === 'id' && !value.includes('\0')) {
      this.id = value;
      this.hasNewId = true;
    } else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  private dispatch(): SseEvent | undefined {
    const { data, type, hasNewId } = this;
    this.data = [];
    this.size = 0;
    this.type = '';
    this.hasNewId = false;
    if (data.length === 0 && !hasNewId) return undefined;
    return {
      data: data.length === 0 ? undefined : data.join('\n'),
      event: type === '' ? 'message' : type,
      lastEventId: this.id === '' ? undefined : this.id,
    };
  }

  private bound(more: number): void {
    if (this.size + more > this.maxCharacters)
      throw new EventTooLargeError(`an event has more than ${this.maxCharacters} characters`);
  }
}
