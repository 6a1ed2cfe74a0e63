/** Injection token of the list of adapters. */
export const ADAPTERS = Symbol('channels:adapters');
