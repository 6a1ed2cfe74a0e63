/**
 * What an account may pile up: limits as the operator sets them, and the check where something is made.
 */
export * from './account-limits.js';
export * from './quota-environment.js';
export * from './quota-use.controller.js';
export * from './require-quota.js';
