import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool, LanguageModelV4Prompt } from '@ai-sdk/provider';

const LEFT_OUT = { type: 'text' as const, text: '[a file, left out: the model does not take it]' };
const MAX_HINT = 1_000;

/** Tools of MCP servers; what others offer is ours and known to be taken. */
const isForeign = (name: string) => name.includes('__');

/**
 * A request without what a provider may refuse for reasons of its own: files, for a model that only reads, and what an
 * MCP server's schemas say. undefined when it has none of these.
 */
export function reducedRequest(options: LanguageModelV4CallOptions): LanguageModelV4CallOptions | undefined {
  const tools = options.tools?.map((tool) =>
    tool.type === 'function' && isForeign(tool.name) ? reducedTool(tool) : tool,
  );
  const prompt = withoutFiles(options.prompt);
  const isReduced = JSON.stringify([prompt, tools]) !== JSON.stringify([options.prompt, options.tools]);
  return isReduced ? { ...options, prompt, ...(tools ? { tools } : {}) } : undefined;
}

function reducedTool(tool: LanguageModelV4FunctionTool): LanguageModelV4FunctionTool {
  const hint = JSON.stringify(tool.inputSchema.properties ?? {});
  return {
    ...tool,
    description: `${(tool.description ?? '').slice(0, MAX_HINT)}\nArguments: ${hint}`.slice(0, MAX_HINT),
    inputSchema: { type: 'object', properties: {}, additionalProperties: true },
  };
}

function withoutFiles(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  return prompt.map((message) => {
    if (message.role === 'user')
      return { ...message, content: message.content.map((part) => (part.type === 'file' ? LEFT_OUT : part)) };
    if (message.role !== 'tool') return message;
    const content = message.content.map((part) => {
      if (part.type !== 'tool-result' || part.output.type !== 'content') return part;
      const texts = part.output.value.map((piece) => (piece.type === 'text' ? piece.text : LEFT_OUT.text));
      return { ...part, output: { type: 'text' as const, value: texts.join('\n') } };
    });
    return { ...message, content };
  });
}
