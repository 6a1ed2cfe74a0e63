import { z } from 'zod';

/** OTLP's JSON of a trace export, strictly: a field that is not of it, or not as it, is refused. */
const time = z.string().regex(/^[1-9]\d{18}$/, 'nanoseconds since 1970');
const Value: z.ZodType<unknown> = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.union([z.number().int(), z.string().regex(/^-?\d+$/)]) }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(Value).default([]) }) }),
  ]),
);
const Attributes = z.array(z.strictObject({ key: z.string().min(1), value: Value })).default([]);
const TraceId = z.string().regex(/^(?!0{32})[0-9a-f]{32}$/);
const SpanId = z.string().regex(/^(?!0{16})[0-9a-f]{16}$/);
const dropped = z.number().int().min(0).optional();

const SentSpan = z.strictObject({
  traceId: TraceId,
  spanId: SpanId,
  parentSpanId: SpanId.optional(),
  traceState: z.string().optional(),
  flags: z.number().int().optional(),
  name: z.string().min(1),
  kind: z.number().int().min(1).max(5),
  startTimeUnixNano: time,
  endTimeUnixNano: time,
  attributes: Attributes,
  droppedAttributesCount: dropped,
  events: z.array(z.unknown()).optional(),
  droppedEventsCount: dropped,
  links: z
    .array(
      z.strictObject({
        traceId: TraceId,
        spanId: SpanId,
        traceState: z.string().optional(),
        attributes: Attributes,
        droppedAttributesCount: dropped,
        flags: z.number().int().optional(),
      }),
    )
    .optional(),
  droppedLinksCount: dropped,
  status: z
    .strictObject({ code: z.number().int().min(0).max(2).optional(), message: z.string().optional() })
    .optional(),
});

const Request = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: Attributes, droppedAttributesCount: dropped }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({
            name: z.string(),
            version: z.string().optional(),
            attributes: Attributes.optional(),
            droppedAttributesCount: dropped,
          }),
          spans: z.array(SentSpan),
          schemaUrl: z.string().optional(),
        }),
      ),
      schemaUrl: z.string().optional(),
    }),
  ),
});

export interface ReceivedSpan {
  service: string;
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  /** Span ids. */
  links: string[];
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
  hasFailed: boolean;
  startMs: number;
  endMs: number;
}

const KINDS = ['internal', 'server', 'client', 'producer', 'consumer'] as const;

/** The spans of an export request. Errors: a ZodError for what is not OTLP. */
export function spansOf(request: unknown): ReceivedSpan[] {
  return Request.parse(request).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const about = plain(resource.attributes);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service: String(about['service.name']),
        name: span.name,
        kind: KINDS[span.kind - 1] ?? 'internal',
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId,
        links: (span.links ?? []).map(({ spanId }) => spanId),
        attributes: plain(span.attributes),
        resource: about,
        hasFailed: span.status?.code === 2,
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
      })),
    );
  });
}

function plain(attributes: z.output<typeof Attributes>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  const [[kind, inner] = []] = Object.entries(value as Record<string, unknown>);
  if (kind === 'arrayValue') return (inner as { values: unknown[] }).values.map(plainValue);
  return kind === 'intValue' ? Number(inner) : inner;
}
