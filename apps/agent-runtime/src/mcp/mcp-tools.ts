import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js';
import { dynamicTool, jsonSchema, type ToolSet } from 'ai';
import { withoutBase64 } from '../models/prompt/base64-text.js';
import type { CleanSchema } from '../models/tool-schema/clean-schema.js';
import { uniqueToolNames } from '../models/tool-name.js';
import type { McpOrigin } from '../permissions/gate.js';
import { type CallQuestions, QuestionAsked } from '../approvals/call-questions.js';
import { Elicitation } from './elicitation.js';
import type { McpTool } from './mcp-connection.js';
import type { McpPool } from './mcp-pool.js';
import type { McpTarget } from './mcp-target.js';
import type { McpRegistry } from './registry/mcp-registry.js';
import { needsAuthorization, StdioServerFailure } from './server-failure.js';
import { shownReason } from './shown-text.js';
import { capText, toToolOutput, type ToolOutput } from './tool-result.js';
import { usableTool } from './usable-tool.js';

/** How long a turn's start waits for servers that are slow to connect; their tools then come with the next turn. */
const PATIENCE_MS = 5_000;
/** OpenAI takes 128 tools in all, the agent's own among them. */
const MAX_TOOLS = 100;
/** Each is a line of the system prompt. */
const MAX_NOTES = 30;

/** Enough to say what is wrong, as the input that a tool refuses. */
const MAX_FAILURE_CHARS = 4_000;

export interface McpServers {
  pool: McpPool;
  registry: McpRegistry;
}

/**
 * The tools of a turn's MCP servers, named `server__tool`, where each comes from, and a sentence on each server that is away. A server that
 * fails later makes its calls answer with an error; the turn goes on.
 */
export async function mcpTools(
  servers: McpServers,
  targets: McpTarget[],
  questions: CallQuestions,
): Promise<{ tools: ToolSet; origins: Map<string, McpOrigin>; notes: string[] }> {
  const { pool, registry } = servers;
  const offered: { name: string; target: McpTarget; tool: McpTool }[] = [];
  const notes: string[] = [];
  await Promise.all(
    targets.map(async (target) => {
      // A server that is late is not forgotten: what became of it is in its health.
      const asked = pool.tools(target).then(async ({ isNews, ...learned }) => {
        if (isNews) await registry.learned(target, learned);
        return learned;
      });
      const { tools: found, failure } = await Promise.race([asked, late()]);
      if (failure)
        notes.push(`The MCP server ${target.name} cannot be used now: ${shownReason(failure, target.config)}`);
      for (const tool of found) {
        if (target.allowedTools && !target.allowedTools.includes(tool.name)) continue;
        offered.push({ name: `${target.name}__${tool.name}`, target, tool });
      }
    }),
  );
  const names = uniqueToolNames(offered.map(({ name }) => name));
  const tools: ToolSet = {};
  const origins = new Map<string, McpOrigin>();
  for (const { name, target, tool } of offered.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const usable = usableTool(tool);
    if ('problem' in usable)
      notes.push(`${tool.name.slice(0, 100)} of ${target.name} cannot be used: ${usable.problem}`);
    else if (origins.size < MAX_TOOLS) {
      const called = names.get(name) ?? name;
      tools[called] = asTool(servers, target, tool, usable, questions);
      origins.set(called, { server: target.name, name: tool.name, restore: usable.restore });
    }
  }
  if (offered.length > MAX_TOOLS)
    notes.push(`Of ${offered.length} tools of MCP servers the first ${MAX_TOOLS} can be used.`);
  return { tools, origins, notes: notes.slice(0, MAX_NOTES) };
}

function asTool(
  { pool, registry }: McpServers,
  target: McpTarget,
  tool: McpTool,
  { schema, restore }: CleanSchema,
  questions: CallQuestions,
) {
  return dynamicTool({
    description: tool.description ?? '',
    inputSchema: jsonSchema(schema as Parameters<typeof jsonSchema>[0]),
    execute: async (input, { abortSignal, toolCallId }): Promise<ToolOutput> => {
      const elicitation = new Elicitation(questions, toolCallId);
      const since = performance.now();
      const result = await pool
        .use(target, (connection) => connection.call(tool.name, restore(input), abortSignal, elicitation))
        .catch(async (error: unknown) => {
          if (error instanceof StdioServerFailure || (target.auth && needsAuthorization(error)))
            await registry.learned(target, { tools: [], since, failure: error as Error });
          throw error instanceof UrlElicitationRequiredError ? elicitation.required(error) : bounded(error);
        });
      const output = toToolOutput(result);
      if (result.isError) throw new Error(output.text || 'the tool failed without a reason');
      return output;
    },
    toModelOutput: ({ output }) => {
      const { text, files } = output as ToolOutput;
      if (files.length === 0) return { type: 'text', value: text || '[no output]' };
      return {
        type: 'content',
        value: [
          ...(text ? [{ type: 'text' as const, text }] : []),
          ...files.map((file) => ({ type: 'file-data' as const, ...file })),
        ],
      };
    },
  });
}

/** What a server says of a failure may be a page of HTML, or a file. */
function bounded(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof QuestionAsked) return error;
  const message = capText(withoutBase64(error.message), MAX_FAILURE_CHARS);
  return message === error.message ? error : new Error(message);
}

function late(): Promise<{ tools: McpTool[]; failure?: Error }> {
  return new Promise((resolve) => {
    setTimeout(
      () =>
        resolve({
          tools: [],
          failure: new Error('it is slow to answer; its tools may be there in the next turn'),
        }),
      PATIENCE_MS,
    ).unref();
  });
}
