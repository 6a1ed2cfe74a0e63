/** Logs that carry the request they belong to and never a secret; metrics for Prometheus. */
export * from './live-gauge.js';
export * from './logger.js';
export * from './metrics.js';
export * from './nest-logger.js';
export * from './rejections.js';
