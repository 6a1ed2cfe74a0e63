/**
 * Postgres for one service: its own schema, migrations at boot, transactions with an outbox.
 * Promised: what a transaction wrote, and the events it put in the outbox, commit together or not at all.
 * Not promised: that a transaction which failed with SERVICE_UNAVAILABLE was not committed.
 */
export * from './database.js';
export { apart } from './apart.js';
export { isDatabaseAway } from './database-away.js';
export * from './delete-all.js';
export * from './deleted-accounts.js';
export * from './event-tables.js';
export * from './ids.js';
export * from './insert-event.js';
export type { Query, Row } from './statements.js';
export { storableJson, storableText } from './storable-text.js';
export * from './transaction.js';
