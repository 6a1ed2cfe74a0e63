/**
 * Secrets at rest. Promised: what is sealed cannot be read or moved to another row without the master key.
 * Not promised: anything about secrets in memory.
 */
export * from './is-same-secret.js';
export * from './sealing/keyring.js';
export * from './sealing/rotation.js';
export * from './sealing/sealer.js';
export * from './sealing/sealing-environment.js';
