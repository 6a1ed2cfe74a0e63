/**
 * Message templates: `{{name}}` placeholders, no logic, no evaluation.
 * Promised: only what the caller passes is read, own properties alone; what is filled in is never read again; the
 * work is bounded by the template's length, the caller's limit and one value, however often a placeholder is repeated.
 */
export * from './exact-json.js';
export * from './fill-template.js';
export * from './read-path.js';
