/**
 * What makes the things of an agent as a document says, by their names: what to make, change and delete. Decides, and
 * changes nothing.
 */
export * from './fields-within.js';
export * from './parts-state.js';
export * from './plan-by-name.js';
