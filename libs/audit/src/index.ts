/**
 * The record of who did what to which thing, kept by each service for its own changes.
 * Promised: a change and its record are committed together; a record is never changed. Not promised: a record of what
 * was refused, except sign-ins.
 */
export { LEAST_RETENTION_DAYS, createAuditTable } from './audit-table.js';
export { auditController } from './audit.controller.js';
export { givenFields, namedWithin } from './given-fields.js';
export { type AuditEntry, deleteOldAudit, listAuditRecords, recordAudit } from './audit.repository.js';
