export type { McpFault } from './fault.js';
export { MisbehavingMcpServer } from './misbehaving-mcp-server.js';
