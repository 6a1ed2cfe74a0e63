/**
 * Configuration from the environment: one zod schema per service, secrets also from files (`NAME_FILE`).
 */
export * from './load-config.js';
export * from './service-environment.js';
export * from './trace-environment.js';
