/**
 * All that services know of each other: subjects with their schemas, events, wire types, error codes.
 * No behaviour, and no import but zod.
 */
export * from './accounts.js';
export * from './agent-configuration.js';
export * from './approvals.js';
export * from './audit.js';
export * from './agent-events.js';
export * from './agent-services.js';
export * from './agent-versions.js';
export * from './agents.js';
export { isBase64Text } from './base64-text.js';
export * from './budgets.js';
export * from './channels.js';
export { codeFormOf } from './code-form.js';
export { encode } from './encode.js';
export * from './errors.js';
export * from './event-streams.js';
export * from './health.js';
export * from './lifecycle.js';
export * from './live.js';
export * from './mcp-servers.js';
export * from './messages.js';
export * from './messaging-events.js';
export * from './messaging.js';
export * from './money.js';
export * from './network-log.js';
export * from './other-version.js';
export * from './permissions.js';
export * from './platforms.js';
export * from './provider-keys.js';
export * from './quantities.js';
export * from './quotas.js';
export * from './request.js';
export * from './required-field.js';
export * from './runs.js';
export * from './runtime.js';
export * from './webhook-bodies.js';
export * from './usage.js';
export * from './webhooks.js';
export * from './scheduler.js';
export * from './template-placeholders.js';
export * from './turns.js';
export * from './wire.js';
export * from './workspace-operations.js';
export * from './workspace-process.js';
export * from './workspace-streams.js';
export * from './workspace.js';
