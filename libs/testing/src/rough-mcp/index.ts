export type { McpFault } from './fault.js';
export { RoughMcpServer } from './rough-mcp-server.js';
