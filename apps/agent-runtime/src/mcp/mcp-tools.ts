import { dynamicTool, jsonSchema, type ToolSet } from 'ai';
import { createHash } from 'node:crypto';
import type { McpTool } from './mcp-connection.js';
import type { McpPool } from './mcp-pool.js';
import type { McpTarget } from './mcp-target.js';
import type { McpRegistry } from './registry/mcp-registry.js';
import { toToolOutput, type ToolOutput } from './tool-result.js';

/** How long a turn's start waits for servers that are slow to connect; their tools then come with the next turn. */
const PATIENCE_MS = 5_000;

/**
 * The tools of a turn's MCP servers, named `server__tool`, and a sentence on each server that is away. A server that
 * fails later makes its calls answer with an error; the turn goes on.
 */
export async function mcpTools(
  { pool, registry }: { pool: McpPool; registry: McpRegistry },
  targets: McpTarget[],
): Promise<{ tools: ToolSet; notes: string[] }> {
  const tools: ToolSet = {};
  const notes: string[] = [];
  await Promise.all(
    targets.map(async (target) => {
      const { tools: found, failure, isNews } = await Promise.race([pool.tools(target), late()]);
      if (isNews) await registry.learned(target, { tools: found, ...(failure ? { failure } : {}) });
      if (failure) notes.push(`The MCP server ${target.name} cannot be used now: ${failure.message.slice(0, 300)}`);
      for (const tool of found) {
        if (target.allowedTools && !target.allowedTools.includes(tool.name)) continue;
        tools[toolName(target.name, tool.name)] = asTool(pool, target, tool);
      }
    }),
  );
  return { tools: Object.fromEntries(Object.entries(tools).sort(([a], [b]) => (a < b ? -1 : 1))), notes };
}

function asTool(pool: McpPool, target: McpTarget, tool: McpTool) {
  return dynamicTool({
    description: tool.description ?? '',
    inputSchema: jsonSchema(tool.inputSchema as Parameters<typeof jsonSchema>[0]),
    execute: async (input, { abortSignal }): Promise<ToolOutput> => {
      const connection = await pool.connection(target);
      const result = await connection.call(tool.name, input, abortSignal);
      const output = toToolOutput(result);
      if (result.isError) throw new Error(output.text || 'the tool failed without saying why');
      return output;
    },
    toModelOutput: ({ output }) => {
      const { text, images } = output as ToolOutput;
      if (images.length === 0) return { type: 'text', value: text || '[no output]' };
      return {
        type: 'content',
        value: [
          ...(text ? [{ type: 'text' as const, text }] : []),
          ...images.map((image) => ({ type: 'image-data' as const, ...image })),
        ],
      };
    },
  });
}

/** Providers take names of at most 64 letters, digits, _ and -. */
export function toolName(server: string, tool: string): string {
  const name = `${server}__${tool}`.replace(/[^A-Za-z0-9_-]/g, '_');
  if (name.length <= 64) return name;
  return `${name.slice(0, 55)}_${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

function late(): Promise<{ tools: McpTool[]; failure: Error; isNews: boolean }> {
  return new Promise((resolve) => {
    setTimeout(
      () =>
        resolve({
          tools: [],
          failure: new Error('it is slow to answer; its tools may be there in the next turn'),
          isNews: false,
        }),
      PATIENCE_MS,
    ).unref();
  });
}
