/**
 * Readers of what comes from a sandbox, an MCP server or a provider: they hold at most the given bytes, whatever comes.
 */
export * from './bounded-lines.js';
export * from './limited-body.js';
export * from './printable.js';
