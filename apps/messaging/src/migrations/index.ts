import { FairClaims1795710000000 } from './fair-claims-1795710000000.js';
import { Messaging1795560000000 } from './messaging-1795560000000.js';

export const migrations = [Messaging1795560000000, FairClaims1795710000000];
