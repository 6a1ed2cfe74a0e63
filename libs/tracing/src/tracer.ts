import { currentTraceparent, inTrace, isSampled } from '#lib/call-context';

/** What is known of a span. Undefined values are left out. Never a secret, nor content unless `Tracer.hasContent`. */
export type SpanAttributes = Record<string, string | number | boolean | string[] | undefined>;

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  kind?: SpanKind;
  attributes?: SpanAttributes;
  /** W3C form; the span that the code runs in if not given. */
  parent?: string | undefined;
  /** Other spans it has to do with, in W3C form. */
  links?: string[];
  /** Epoch ms; now if not given. */
  startedAt?: number;
  /** Begins a trace where there is none; other work outside a trace makes no span. */
  beginsTrace?: boolean;
  /** Whose span it is, where another writes it down: the daemon in a sandbox has no way to. */
  ofService?: string;
}

/** A span that has begun. */
export interface Span {
  /** W3C form. */
  readonly traceparent: string;
  set(attributes: SpanAttributes): void;
  /** Marks it as failed; the kind of error only, since its text may hold anything. */
  fail(error: unknown): void;
  /** `at` in epoch ms; now if not given. */
  end(at?: number): void;
}

/** Where it is said that traces are on, and what becomes of spans that cannot be sent. */
export interface TracingLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Where spans go: the SDK, loaded only when traces are on. */
export interface SpanSink {
  /** What is under an unsampled parent is unsampled: no span is made for it. */
  readonly followsParent: boolean;
  start(name: string, options: SpanOptions): Span;
}

/**
 * Writes one service's spans. A span's place is what the code runs in (`currentTraceparent`), so that log lines, events
 * and requests belong to it too. With traces off everything here is one comparison.
 */
export class Tracer {
  constructor(
    private readonly sink: SpanSink | undefined,
    /** Whether the operator wants what people and models say in spans. */
    readonly hasContent = false,
  ) {}

  get isOn(): boolean {
    return this.sink !== undefined;
  }

  /** Begins a span that its caller ends; undefined where there is none to make. The code does not run in it: `inTrace`. */
  start(name: string, options: SpanOptions = {}): Span | undefined {
    if (!this.sink) return undefined;
    const parent = 'parent' in options ? options.parent : currentTraceparent();
    if (parent === undefined ? !options.beginsTrace : this.sink.followsParent && !isSampled(parent)) return undefined;
    return this.sink.start(name, { ...options, parent });
  }

  /** Runs `work` in a span. The span is undefined where there is none to make. */
  async span<T>(name: string, options: SpanOptions, work: (span: Span | undefined) => Promise<T> | T): Promise<T> {
    const span = this.start(name, options);
    // One that begins nothing still belongs where its parent says.
    if (!span) return 'parent' in options ? inTrace(options.parent, () => work(undefined)) : work(undefined);
    try {
      return await inTrace(span.traceparent, () => work(span));
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }

  /** Writes down a span that has ended already. Its W3C form, for what follows from it; the parent's where there is none. */
  record(name: string, options: SpanOptions & { endedAt?: number }): string | undefined {
    const span = this.start(name, options);
    span?.end(options.endedAt);
    return span?.traceparent ?? ('parent' in options ? options.parent : currentTraceparent());
  }
}

/** For services that were started without one, as tests do. */
export const NO_TRACES = new Tracer(undefined);

/** Epoch ms with a fraction, for `startedAt`. */
export const spanTime = (): number => performance.timeOrigin + performance.now();
