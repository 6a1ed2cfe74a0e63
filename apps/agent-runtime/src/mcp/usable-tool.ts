import { printable } from '#lib/bounded-streams';
import { type CleanSchema, cleanSchema } from '../models/tool-schema/clean-schema.js';
import type { McpTool } from './mcp-connection.js';

const MAX_NAMED = 10;

/** The tools of a connection are the same objects turn after turn. */
const known = new WeakMap<McpTool, CleanSchema | { problem: string }>();

/** A server's tool as every provider takes it, or why none would. */
export function usableTool(tool: McpTool): CleanSchema | { problem: string } {
  const found = known.get(tool) ?? cleaned(tool.inputSchema);
  known.set(tool, found);
  return found;
}

function cleaned(inputSchema: unknown): CleanSchema | { problem: string } {
  try {
    return cleanSchema(inputSchema);
  } catch (error) {
    // A message of 8 MiB has room for more levels than the stack has.
    if (error instanceof RangeError) return { problem: 'its input schema is nested too deeply' };
    throw error;
  }
}

/** For the server's owner: which of its tools no agent is offered, and why. */
export function unusableTools(tools: McpTool[]): string | null {
  const left = tools.flatMap((tool) => {
    const found = usableTool(tool);
    return 'problem' in found ? [`${printable(tool.name.slice(0, 100))} (${found.problem})`] : [];
  });
  if (left.length === 0) return null;
  const more = left.length > MAX_NAMED ? ` and ${left.length - MAX_NAMED} more` : '';
  return `left out: ${left.slice(0, MAX_NAMED).join(', ')}${more}`;
}
