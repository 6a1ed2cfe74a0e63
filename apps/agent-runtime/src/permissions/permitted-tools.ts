import type { ToolSet } from 'ai';
import type { PermissionGate } from './gate.js';

/** The tools, each of which asks first whether it may run: whoever calls one, nothing is run past the gate. */
export function permittedTools(tools: ToolSet, gate: PermissionGate): ToolSet {
  return Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, permittedTool(name, tool, gate)]));
}

function permittedTool(name: string, tool: ToolSet[string], gate: PermissionGate): ToolSet[string] {
  const { execute } = tool;
  if (!execute) return tool;
  const permitted: typeof execute = (input, options) => {
    gate.requirePermission(name, input, options.toolCallId);
    return execute(input, options) as unknown;
  };
  return { ...tool, execute: permitted };
}
