/**
 * Typed request/reply over NATS, free of Nest: the workspace daemon is built on it alone.
 * Promised: typed errors, the caller's context at the other end, no wait beyond the deadline.
 * Not promised: that a request which timed out was not carried out.
 */
export * from './call-context.js';
export * from './error-reply.js';
export * from './neighbours.js';
export * from './reply.js';
export * from './request-neighbour.js';
export * from './request-over-nats.js';
export { reachedNobody } from './unavailable.js';
export { workspaceGone, type WorkspaceLooks } from './workspace-gone.js';
