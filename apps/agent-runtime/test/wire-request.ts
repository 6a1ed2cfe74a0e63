import { Refused, type ServerRule, WIRES, type WireName } from '#lib/testing';
import { generateText, jsonSchema, type ModelMessage, tool } from 'ai';
import { observedModel } from '../src/models/observed-model.js';
import { resolveModel } from '../src/models/model-registry.js';
import { promptFor } from '../src/models/prompt/prompt-for.js';

type JsonObject = Parameters<(typeof WIRES)[WireName]['check']>[0];

const MODELS: Record<WireName, string> = {
  anthropic: 'anthropic/claude-sonnet-4-5',
  'openai-chat': 'openai/gpt-test',
  'openai-responses': 'openai/gpt-5-test',
  google: 'google/gemini-2.5-pro',
};

class Captured extends Error {
  constructor(
    readonly body: string,
    readonly headers: Record<string, string>,
  ) {
    super('captured');
  }
}

/**
 * The request that would go to a provider, checked by the provider's own rules; of a server that has more `rules`, the
 * one that it takes after those that it refused. Errors: Refused, of the provider's own rules; the provider's, of the server's.
 */
export async function wireRequest(
  wire: WireName,
  messages: ModelMessage[],
  tools: { name: string; schema: object; description?: string }[] = [],
  instructions?: string,
  rules: ServerRule[] = [],
): Promise<string> {
  const model = resolveModel(
    MODELS[wire],
    { keys: {} },
    {
      keys: { anthropic: 'k', openai: 'k', google: 'k' },
      retryMs: 0,
      ...(wire === 'openai-chat' ? { openaiBaseUrl: 'http://127.0.0.1:9/v1' } : {}),
    },
  );
  const real = globalThis.fetch;
  let captured: Captured | undefined;
  globalThis.fetch = (_, init) => {
    const body = typeof init?.body === 'string' ? init.body : '';
    try {
      for (const rule of rules) rule({ wire, body: JSON.parse(body) as JsonObject });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return Promise.resolve(Response.json(WIRES[wire].errorBody(error), { status: error.status }));
    }
    captured ??= new Captured(body, Object.fromEntries(new Headers(init?.headers)));
    return Promise.reject(captured);
  };
  try {
    await generateText({
      model: observedModel(model),
      messages: promptFor(model.wire, messages),
      ...(instructions === undefined ? {} : { instructions }),
      tools: Object.fromEntries(
        tools.map(({ name, schema, ...rest }) => [name, tool({ ...rest, inputSchema: jsonSchema(schema) })]),
      ),
      providerOptions: { openai: { store: false } },
      maxRetries: 0,
    });
  } catch (error) {
    if (!captured) throw error;
  } finally {
    globalThis.fetch = real;
  }
  if (!captured) throw new Error('no request was made');
  WIRES[wire].check(JSON.parse(captured.body) as JsonObject, captured.headers);
  return captured.body;
}
