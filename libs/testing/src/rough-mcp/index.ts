export type { McpFault, SeenRequest } from './fault.js';
export { RoughMcpServer } from './rough-mcp-server.js';
