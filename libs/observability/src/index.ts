/** Logs that carry the request they belong to and never a secret. */
export * from './logger.js';
export * from './nest-logger.js';
