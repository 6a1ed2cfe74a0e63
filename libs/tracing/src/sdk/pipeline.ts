import type { TraceSettings } from '#lib/config';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import { randomUUID } from 'node:crypto';
import type { SpanSink, TracingLog } from '../tracer.js';
import { BoundedQueue } from './bounded-queue.js';
import { samplerOf } from './sampler.js';
import { SdkSink } from './sdk-sink.js';

/** A receiver that is away must not hold up a shutdown. */
const CLOSE_MS = 1_500;
const DEFAULT_TIMEOUT_MS = 10_000;

/** One way out for the spans of all services of a process, each with a name of its own. */
export interface Pipeline {
  sinkOf(service: string): SpanSink;
  /** By the last of its services: sends what is left. */
  close(): Promise<void>;
}

interface Shared {
  queue: BoundedQueue;
  providers: Map<string, TracerProvider>;
  users: number;
}

const shared = new Map<string, Shared>();

/** Services of one process that have the same settings share a queue and a connection. */
export function openPipeline(settings: TraceSettings, log: TracingLog): Pipeline {
  const key = JSON.stringify(settings);
  const pipeline = shared.get(key) ?? { queue: open(settings, log), providers: new Map(), users: 0 };
  shared.set(key, pipeline);
  pipeline.users += 1;
  const { sampler, followsParent } = samplerOf(settings);
  const providerOf = (service: string) => {
    const known = pipeline.providers.get(service);
    if (known) return known;
    const resource = resourceFromAttributes(resourceOf(settings, service));
    const provider = new TracerProvider({ resource, sampler, spanProcessors: [pipeline.queue] });
    pipeline.providers.set(service, provider);
    return provider;
  };
  return {
    sinkOf: (service) => new SdkSink((ofService) => providerOf(ofService ?? service).getTracer('roost'), followsParent),
    async close() {
      pipeline.users -= 1;
      if (pipeline.users > 0) return;
      shared.delete(key);
      const timeUp = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([pipeline.queue.shutdown().catch(() => undefined), timeUp]);
    },
  };
}

function resourceOf(settings: TraceSettings, service: string) {
  return {
    'service.namespace': 'roost',
    'service.instance.id': randomUUID(),
    'process.pid': process.pid,
    ...settings.OTEL_RESOURCE_ATTRIBUTES,
    [ATTR_SERVICE_NAME]:
      settings.OTEL_SERVICE_NAME ?? settings.OTEL_RESOURCE_ATTRIBUTES?.[ATTR_SERVICE_NAME] ?? service,
    // Where one name was chosen for all.
    'roost.service': service,
  };
}

function open(settings: TraceSettings, log: TracingLog): BoundedQueue {
  const url = endpointOf(settings);
  log.info(
    { endpoint: `${new URL(url).origin}${new URL(url).pathname}`, sampler: settings.OTEL_TRACES_SAMPLER },
    'traces are on',
  );
  const batches = (exporter: SpanExporter): SpanProcessor =>
    new BatchSpanProcessor({
      exporter,
      // The bound is the queue's, which counts what is beyond: this one adds what is in its hands.
      maxQueueSize: settings.OTEL_BSP_MAX_QUEUE_SIZE + settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
      maxExportBatchSize: Math.min(settings.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, settings.OTEL_BSP_MAX_QUEUE_SIZE),
      scheduledDelayMillis: settings.OTEL_BSP_SCHEDULE_DELAY,
      exportTimeoutMillis: settings.OTEL_BSP_EXPORT_TIMEOUT,
    });
  return new BoundedQueue(exporterOf(settings, url), batches, settings.OTEL_BSP_MAX_QUEUE_SIZE, log);
}

function exporterOf(settings: TraceSettings, url: string): SpanExporter {
  const protocol =
    settings.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? settings.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf';
  const compression =
    settings.OTEL_EXPORTER_OTLP_TRACES_COMPRESSION ?? settings.OTEL_EXPORTER_OTLP_COMPRESSION ?? 'none';
  const { OTEL_EXPORTER_OTLP_CERTIFICATE: ca, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert } = settings;
  const key = settings.OTEL_EXPORTER_OTLP_CLIENT_KEY;
  const options = {
    url,
    headers: { ...settings.OTEL_EXPORTER_OTLP_HEADERS, ...settings.OTEL_EXPORTER_OTLP_TRACES_HEADERS },
    timeoutMillis:
      settings.OTEL_EXPORTER_OTLP_TRACES_TIMEOUT ?? settings.OTEL_EXPORTER_OTLP_TIMEOUT ?? DEFAULT_TIMEOUT_MS,
    compression: compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    httpAgentOptions: { keepAlive: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
  };
  return protocol === 'http/json' ? new JsonExporter(options) : new ProtobufExporter(options);
}

function endpointOf(settings: TraceSettings): string {
  if (settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const base = settings.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'http://localhost:4318';
  return `${base.replace(/\/+$/, '')}/v1/traces`;
}
