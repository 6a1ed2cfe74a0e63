/**
 * How services talk: typed requests, events through outbox and inbox, hints.
 * Promised: a committed event is delivered to every consumer and has its effect once; a request ends by its
 * deadline with an answer or a typed error. Not promised: that hints (`signal`) arrive.
 */
export * from './account-removal.js';
export * from './bus.js';
export { measureService } from './bus-metrics.js';
export * from './connect-bus.js';
export * from './event-delivery.js';
export * from './handles.js';
export * from './inbox/consumes.js';
export * from './infra.module.js';
export * from './nest-logger.js';
export * from './outbox/events-stream.js';
export { isReady } from './readiness.js';
export { rpcAttributes } from './request-spans.js';
export * from './run-service.js';
export * from './service-gauges.js';
export * from './start-service.js';
export { startSweeps } from './start-sweeps.js';
