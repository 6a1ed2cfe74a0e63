/** The tools of every agent; any other is typed, those of MCP servers as `mcp:server/tool`. */
export const BUILT_IN_TOOLS = [
  ...['bash', 'read_file', 'write_file', 'edit_file', 'list_files', 'search_files', 'memory_read', 'memory_write'],
  ...['wait', 'read_messages', 'send_message', 'check_budget', 'schedule_create', 'schedule_list', 'schedule_delete'],
];
