/**
 * Message templates: `{{name}}` places, no logic, no evaluation.
 * Promised: only what the caller hands over is read, own properties alone; what is filled in is never read again.
 */
export * from './fill-template.js';
export * from './read-path.js';
