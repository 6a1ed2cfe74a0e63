/**
 * Sharing something limited fairly between accounts, within one process.
 * `AccountShares` decides who may have one more, `FairQueue` who comes next, `FairSlots` lets callers wait for a slot.
 */
export * from './account-shares.js';
export * from './fair-queue.js';
export * from './fair-slots.js';
