/**
 * Traces by OpenTelemetry. Promised: with no `OTEL_*` variable set nothing of the SDK is loaded, and a receiver that is
 * away costs spans and nothing else. Not promised: that every span arrives.
 */
export * from './start-tracing.js';
export * from './tracer.js';
