/**
 * Typed request/reply over NATS or within the process, free of Nest: the workspace daemon is built on it alone.
 * Promised: typed errors, the caller's context at the other end, no wait beyond the deadline.
 * Not promised: that a request which timed out was not carried out.
 */
export { requestOverNats } from './client.js';
export { asRoostError, reachedNobody } from './errors.js';
export { type Answer, InProcessRegistry, requestInProcess } from './in-process-registry.js';
export { type Handler, reply, serve } from './server.js';
export { validationError } from './validation-error.js';
export { ERROR_HEADER } from './wire.js';
