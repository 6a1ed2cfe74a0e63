import type { Tracer } from '#lib/tracing';
import type { ToolSet } from 'ai';

/** Of arguments and of a result, where the operator wants them. */
const MAX_CONTENT_CHARS = 16_000;

/** The tools with a span for each of their calls; what a call asks of other services belongs to it. */
export function tracedTools(tracer: Tracer, tools: ToolSet): ToolSet {
  if (!tracer.isOn) return tools;
  return Object.fromEntries(Object.entries(tools).map(([name, tool]) => [name, tracedTool(tracer, name, tool)]));
}

function tracedTool(tracer: Tracer, name: string, tool: ToolSet[string]): ToolSet[string] {
  const { execute } = tool;
  if (!execute) return tool;
  const traced: typeof execute = (input, options) => {
    const attributes = {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.call.id': options.toolCallId,
      'gen_ai.tool.call.arguments': tracer.hasContent ? shown(input) : undefined,
    };
    return tracer.span(`execute_tool ${name}`, { attributes }, async (span) => {
      const output = (await execute(input, options)) as unknown;
      if (tracer.hasContent) span?.set({ 'gen_ai.tool.call.result': shown(output) });
      return output;
    });
  };
  return { ...tool, execute: traced };
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.slice(0, MAX_CONTENT_CHARS);
}
