import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider';
import type { ModelWire } from '../model-registry.js';
import { googleSchema } from './google-schema.js';
import type { Schema } from './schema.js';

/** OpenAI refuses longer ones. */
const MAX_DESCRIPTION = 1_024;

/** The schemas are those of the same few tools, turn after turn. */
const known = new WeakMap<object, LanguageModelV4FunctionTool['inputSchema']>();

/** A call's tools as the wire takes them. */
export function wireTools(wire: ModelWire, options: LanguageModelV4CallOptions): LanguageModelV4CallOptions {
  if (!options.tools || wire === 'anthropic' || wire === 'demo') return options;
  const tools = options.tools.map((tool) => {
    if (tool.type !== 'function') return tool;
    if (wire === 'google') return { ...tool, inputSchema: forGoogle(tool.inputSchema) };
    const { description } = tool;
    return description && description.length > MAX_DESCRIPTION
      ? { ...tool, description: `${description.slice(0, MAX_DESCRIPTION - 1)}…` }
      : tool;
  });
  return { ...options, tools };
}

function forGoogle(schema: LanguageModelV4FunctionTool['inputSchema']): LanguageModelV4FunctionTool['inputSchema'] {
  const made = known.get(schema) ?? googleSchema(schema as Schema);
  known.set(schema, made);
  return made;
}
