/** The TypeScript client of Roost. */
export { Roost, type Models } from './roost.js';
export type { CallOptions, Content, RoostOptions } from './transport/transport.js';
export * from './transport/errors.js';
export { Listing } from './listing.js';
export * from './agents/agent.js';
export * from './agents/agents.js';
export {
  type AgentDocument,
  type AppliedDocument,
  type AppliedObject,
  type ApplyOptions,
  type ExportedDocument,
  withSecrets,
} from './agents/documents.js';
export { MessageStream } from './agents/message-stream.js';
export * from './agents/messages.js';
export { type Message, MessageFailedError, type Reply, type ReplyMessage } from './agents/reply.js';
export type { AgentEvent, AgentEventOf, AgentEventType, RunEvent, UnknownEvent } from './events/agent-events.js';
export { EventTooLargeError } from './events/sse-parser.js';
export * from './agents/permissions.js';
export * from './agents/runs.js';
export * from './agents/secrets.js';
export {
  type AgentVersion,
  type AgentVersionDetails,
  type ChangeOptions,
  type FieldChange,
  type NewDraft,
  type RolledBack,
  type VersionComparison,
  Versions,
} from './agents/versions.js';
export * from './automation.js';
export * from './channels.js';
export { parseExactJson } from './exact-json.js';
export type { Download } from './files/download.js';
export * from './files/files.js';
export * from './account/account.js';
export * from './account/admin.js';
export * from './account/approvals.js';
export * from './account/auth.js';
export * from './account/usage.js';
export * from './account/vault.js';
export * from './mcp/mcp.js';
export * from './webhooks/webhooks.js';
export * from './webhooks/signature.js';
/** The request and response types of every operation, as the API's own document has them. */
export type * as Api from './generated/types.gen.js';
