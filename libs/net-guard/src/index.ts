/**
 * The guard for every address that a user or an agent may choose: webhooks, MCP servers, OAuth, the agents' egress.
 * Promised: a name is resolved once, every answer is checked, and only a checked address is dialled, with the name kept
 * for TLS and for the Host header. Not promised: that the host at a public address is a friendly one.
 */
export { checkRegisteredUrl } from './check-registered-url.js';
export { checkUrl } from './check-url.js';
export { coversHost, coversRequest, type Destination } from './coverage.js';
export { classifyAddress, isInRanges, type AddressKind } from './classify-address.js';
export { guardedAgents, guardedConnect, guardedDispatcher } from './guarded-connect.js';
export { assertDialable, guardedLookup } from './guarded-lookup.js';
export { guardedRequest, type GuardedRequest, type GuardedResponse } from './guarded-request.js';
export {
  assertAddress,
  type GuardPolicy,
  isBlocked,
  localDevelopment,
  policyOf,
  publicHttps,
  resolveChecked,
  unbracketed,
} from './policy.js';
