import { Agents1795560000000 } from './agents-1795560000000.js';

/** Oldest first. */
export const migrations = [Agents1795560000000];
