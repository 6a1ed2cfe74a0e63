import type { TraceSettings } from '#lib/config';
import { NO_TRACES, Tracer, type TracingLog } from './tracer.js';

export interface Tracing {
  tracer: Tracer;
  /** Sends what is left, for at most a second and a half. */
  stop(): Promise<void>;
}

const OFF: Tracing = { tracer: NO_TRACES, stop: () => Promise.resolve() };

/** Whether the variables ask for traces: an endpoint, or the exporter by name. */
const isWanted = (settings: TraceSettings): boolean =>
  !settings.OTEL_SDK_DISABLED &&
  settings.OTEL_TRACES_EXPORTER !== 'none' &&
  (settings.OTEL_TRACES_EXPORTER === 'otlp' ||
    settings.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined ||
    settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== undefined);

/** A service's traces, as the standard `OTEL_*` variables say; off, and nothing loaded, when none asks for them. */
export async function startTracing(settings: TraceSettings, service: string, log: TracingLog): Promise<Tracing> {
  if (!isWanted(settings)) return OFF;
  const { openPipeline } = await import('./sdk/pipeline.js');
  const pipeline = openPipeline(settings, log);
  return {
    tracer: new Tracer(pipeline.sinkOf(service), settings.ROOST_TRACE_CONTENT),
    stop: () => pipeline.close(),
  };
}
