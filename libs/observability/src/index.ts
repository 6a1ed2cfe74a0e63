/** Logs that carry the request they belong to and never a secret; metrics for Prometheus. */
export * from './logger.js';
export * from './metrics.js';
export * from './rejections.js';
