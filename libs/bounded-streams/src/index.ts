/**
 * Readers of what comes from a sandbox, an MCP server or a provider: they keep at most what they are told, whatever comes.
 */
export * from './bounded-lines.js';
export * from './limited-body.js';
export * from './printable.js';
