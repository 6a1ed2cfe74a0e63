import { traceIdsOf } from '#lib/call-context';
import {
  type AttributeValue,
  ROOT_CONTEXT,
  type Span as SdkSpan,
  type SpanContext,
  SpanKind as SdkSpanKind,
  SpanStatusCode,
  trace,
  type Tracer as SdkTracer,
} from '@opentelemetry/api';
import type { Span, SpanAttributes, SpanKind, SpanOptions, SpanSink } from '../tracer.js';

const KINDS: Record<SpanKind, SdkSpanKind> = {
  internal: SdkSpanKind.INTERNAL,
  server: SdkSpanKind.SERVER,
  client: SdkSpanKind.CLIENT,
  producer: SdkSpanKind.PRODUCER,
  consumer: SdkSpanKind.CONSUMER,
};
/** A batch holds at most so many messages. */
const MAX_LINKS = 128;

/** Makes spans of the SDK. */
export class SdkSink implements SpanSink {
  constructor(
    private readonly tracerOf: (ofService?: string) => SdkTracer,
    readonly followsParent: boolean,
  ) {}

  start(name: string, { kind, attributes, parent, links, startedAt, ofService }: SpanOptions): Span {
    const context = spanContextOf(parent);
    const span = this.tracerOf(ofService).startSpan(
      name,
      {
        kind: KINDS[kind ?? 'internal'],
        ...(attributes && { attributes: known(attributes) }),
        ...(startedAt !== undefined && { startTime: startedAt }),
        ...(links && { links: links.slice(0, MAX_LINKS).flatMap(linkTo) }),
      },
      context ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT,
    );
    return new WrittenSpan(span);
  }
}

class WrittenSpan implements Span {
  readonly traceparent: string;

  constructor(private readonly span: SdkSpan) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(known(attributes));
  }

  fail(error: unknown): void {
    this.span.setAttribute('error.type', kindOf(error));
    this.span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(at?: number): void {
    this.span.end(at);
  }
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const ids = traceIdsOf(traceparent);
  return ids && { ...ids, traceFlags: parseInt(traceparent?.slice(-2) ?? '0', 16) & 1, isRemote: true };
}

function linkTo(traceparent: string): { context: SpanContext }[] {
  const context = spanContextOf(traceparent);
  return context ? [{ context }] : [];
}

function known(attributes: SpanAttributes): Record<string, AttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      (entry): entry is [string, string | number | boolean | string[]] => entry[1] !== undefined,
    ),
  );
}

/** A code is one of ours or of the system's; a text might repeat what was said. */
function kindOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code.slice(0, 100) : error.name.slice(0, 100);
}
