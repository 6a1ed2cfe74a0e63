import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { flag, secret } from './load-config.js';

/** `name=value` pairs with commas between them, values percent-encoded, as OpenTelemetry writes headers and attributes. */
const pairs = z.string().transform((text, context) => {
  const found: Record<string, string> = {};
  for (const pair of text.split(',').filter((part) => part.trim() !== '')) {
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(pair) ?? [];
    const decoded = name === '' ? undefined : decode(value.trim());
    if (decoded === undefined)
      context.addIssue({
        code: 'custom',
        message: 'must be name=value pairs with commas between them, percent-encoded',
      });
    else found[name] = decoded;
  }
  return found;
});

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

const endpoint = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });
const protocol = z.enum(['http/protobuf', 'http/json']);
const milliseconds = (most: number) => z.coerce.number().int().min(1).max(most);
const compression = z.enum(['none', 'gzip']);
const file = z.string().transform((path, context) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    context.addIssue({ code: 'custom', message: 'must name a file that can be read' });
    return z.NEVER;
  }
});

/** Traces: the standard variables of OpenTelemetry as far as they are about traces over OTLP/HTTP, and what is ours. */
export const traceEnvironment = {
  OTEL_SDK_DISABLED: flag.default(false),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none']).optional(),
  /** Of the receiver; `/v1/traces` is added. It, or the next, turns traces on. */
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.optional(),
  /** As it is, nothing added. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol.optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: secret(pairs).optional(),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: secret(pairs).optional(),
  OTEL_EXPORTER_OTLP_TIMEOUT: milliseconds(60_000).optional(),
  OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: milliseconds(60_000).optional(),
  OTEL_EXPORTER_OTLP_COMPRESSION: compression.optional(),
  OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: compression.optional(),
  /** Of the receiver, and ours, as PEM files. */
  OTEL_EXPORTER_OTLP_CERTIFICATE: secret(file).optional(),
  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: secret(file).optional(),
  OTEL_EXPORTER_OTLP_CLIENT_KEY: secret(file).optional(),
  OTEL_TRACES_SAMPLER: z
    .enum([
      ...['always_on', 'always_off', 'traceidratio'],
      ...['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
    ] as const)
    .default('parentbased_always_on'),
  /** Of the two samplers by ratio: 0.01 keeps one trace of a hundred. */
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d+)?|1(\.0+)?|\.\d+)$/, 'must be a number from 0 to 1')
    .transform(Number)
    .optional(),
  /** One name for all services; by default each has its own. */
  OTEL_SERVICE_NAME: z.string().max(255).optional(),
  OTEL_RESOURCE_ATTRIBUTES: pairs.optional(),
  OTEL_PROPAGATORS: z
    .string()
    .regex(/^\s*(tracecontext|baggage|none)(\s*,\s*(tracecontext|baggage|none))*\s*$/, {
      error: 'must be of tracecontext, baggage and none; only tracecontext is carried',
    })
    .optional(),
  OTEL_BSP_SCHEDULE_DELAY: milliseconds(60_000).default(5_000),
  OTEL_BSP_EXPORT_TIMEOUT: milliseconds(60_000).default(30_000),
  /** Ended spans that wait to be sent, of one process; those beyond are dropped. */
  OTEL_BSP_MAX_QUEUE_SIZE: z.coerce.number().int().min(1).max(100_000).default(2_048),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: z.coerce.number().int().min(1).max(100_000).default(512),
  /** Puts what people, models and tools say into spans. */
  ROOST_TRACE_CONTENT: flag.default(false),
};

export type TraceSettings = z.output<z.ZodObject<typeof traceEnvironment>>;
