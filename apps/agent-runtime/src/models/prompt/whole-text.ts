import type { LanguageModelV4CallOptions } from '@ai-sdk/provider';

/**
 * A request without halves of surrogate pairs, which are left where a text was cut within a letter, by us, by a tool or by
 * an MCP server. Anthropic refuses a body with one as no JSON, and a transcript would bring it back in every later turn.
 * To be applied last: whatever shortens a text before may leave one.
 */
export function withWholeText<R extends Pick<LanguageModelV4CallOptions, 'prompt' | 'tools'>>(request: R): R {
  const { prompt, tools } = request;
  return { ...request, prompt: whole(prompt), ...(tools ? { tools: whole(tools) } : {}) };
}

/** The value itself where nothing is to be mended: a long conversation is not copied at each step. */
function whole<T>(value: T): T {
  return mended(value) as T;
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) {
    const items = value.map(mended);
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  if (!isPlain(value)) return value;
  const entries = Object.entries(value);
  const made = entries.map(([key, inner]): [string, unknown] => [key.toWellFormed(), mended(inner)]);
  const isSame = made.every(([key, inner], at) => key === entries[at]?.[0] && inner === entries[at][1]);
  return isSame ? value : Object.fromEntries(made);
}

/** Not the bytes of a file, an address or a time. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
