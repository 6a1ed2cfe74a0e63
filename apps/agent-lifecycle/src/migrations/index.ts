import { Agents1795560000000 } from './agents-1795560000000.js';
import { ProviderKeys1795560400000 } from './provider-keys-1795560400000.js';

/** Oldest first. */
export const migrations = [Agents1795560000000, ProviderKeys1795560400000];
