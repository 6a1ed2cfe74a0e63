import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BrokenStream, collectAnswer } from './collect-answer.js';

const silent = { onText: () => undefined };
const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};
const finish: LanguageModelV4StreamPart = { type: 'finish', usage, finishReason: { unified: 'stop', raw: 'stop' } };

function streamOf(parts: LanguageModelV4StreamPart[]): ReadableStream<LanguageModelV4StreamPart> {
  return ReadableStream.from(parts) as ReadableStream<LanguageModelV4StreamPart>;
}

function streaming(parts: LanguageModelV4StreamPart[]): LanguageModelV4 {
  return {
    specificationVersion: 'v4',
    provider: 'test',
    modelId: 'test',
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error('only streams')),
    doStream: () => Promise.resolve({ stream: streamOf(parts) }),
  };
}

const metadata = fc.option(fc.constantFrom({ anthropic: { signature: 'a' } }, { openai: { itemId: 'b' } }), {
  nil: undefined,
});
const meta = (providerMetadata: { [provider: string]: { [key: string]: string } } | undefined) =>
  providerMetadata ? { providerMetadata } : {};

/** One block of an answer as the parts it is streamed in. */
const block = fc
  .record({
    kind: fc.constantFrom('text', 'reasoning', 'source', 'file'),
    pieces: fc.array(fc.string(), { maxLength: 4 }),
    atStart: metadata,
    atEnd: metadata,
  })
  .map(({ kind, pieces, atStart, atEnd }) => (id: string): LanguageModelV4StreamPart[] => {
    switch (kind) {
      case 'source':
        return [{ type: 'source', sourceType: 'url', id, url: 'https://example.com/' }];
      case 'file':
        return [{ type: 'file', mediaType: 'text/plain', data: { type: 'data', data: 'YQ==' } }];
      case 'text':
        return [
          { type: 'text-start', id, ...meta(atStart) },
          ...pieces.map((delta) => ({ type: 'text-delta' as const, id, delta })),
          { type: 'text-end', id, ...meta(atEnd) },
        ];
      default:
        return [
          { type: 'reasoning-start', id, ...meta(atStart) },
          ...pieces.map((delta) => ({ type: 'reasoning-delta' as const, id, delta })),
          { type: 'reasoning-end', id, ...meta(atEnd) },
        ];
    }
  });

describe('a streamed answer', () => {
  it('is the same for the SDK as the stream it came from', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(block, { minLength: 1, maxLength: 6 }), async (blocks) => {
        const parts: LanguageModelV4StreamPart[] = [
          { type: 'stream-start', warnings: [] },
          ...blocks.flatMap((partsFor, index) => partsFor(String(index))),
          finish,
        ];
        const streamed = streamText({ model: streaming(parts), prompt: 'hi' });
        const deltas: string[] = [];
        const whole = await generateText({
          model: wrapLanguageModel({
            model: streaming(parts),
            middleware: {
              specificationVersion: 'v4',
              wrapGenerate: async ({ doStream }) =>
                collectAnswer(await doStream(), { ...silent, onText: (delta) => deltas.push(delta) }),
            },
          }),
          prompt: 'hi',
        });
        expect(whole.response.messages).toEqual((await streamed.response).messages);
        expect(whole.totalUsage).toEqual(await streamed.totalUsage);
        expect(deltas.join('')).toBe(await streamed.text);
      }),
      { numRuns: 50 },
    );
  });

  const half: LanguageModelV4StreamPart[] = [
    { type: 'text-delta', id: '0', delta: 'half' },
    { type: 'tool-call', toolCallId: 'c', toolName: 't', input: '{}' },
  ];
  it.each<[string, LanguageModelV4StreamPart[]]>([
    ['ends without a reason', half],
    ['ends for none', [...half, { ...finish, finishReason: { unified: 'other', raw: undefined } }]],
    ['reports an error', [...half, { type: 'error', error: { type: 'overloaded_error' } }, ...half, finish]],
  ])('that %s is no answer', async (_, parts) => {
    await expect(collectAnswer({ stream: streamOf(parts) }, silent)).rejects.toThrow(BrokenStream);
  });

  const begun: LanguageModelV4StreamPart = {
    type: 'custom',
    kind: 'anthropic.message_start',
    providerMetadata: { anthropic: { usage: { input_tokens: 7, cache_read_input_tokens: 2, output_tokens: 1 } } },
  };
  const uncounted: LanguageModelV4StreamPart = {
    type: 'finish',
    finishReason: { unified: 'interrupted', raw: undefined },
    usage: {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    },
  };
  const error: LanguageModelV4StreamPart = { type: 'error', error: new Error('overloaded') };
  it.each<[string, LanguageModelV4StreamPart[], number | undefined, number | undefined]>([
    ['after the error', [error, finish], 3, 5],
    ['at the begin', [begun, error], 9, 1],
    ['at the begin, and nothing at the end', [begun, ...half, uncounted], 9, 1],
    ['at the begin and after the error', [begun, error, finish], 3, 5],
    ['never', [...half, error], undefined, undefined],
  ])('that fails is counted as its provider counts it: %s', async (_, parts, input, output) => {
    await expect(collectAnswer({ stream: streamOf(parts) }, silent)).rejects.toMatchObject({
      usage: { inputTokens: { total: input }, outputTokens: { total: output } },
    });
  });

  it('names its tool calls by ids of our own', async () => {
    const call: LanguageModelV4StreamPart = { type: 'tool-call', toolCallId: 'call_0', toolName: 'a b', input: '{}' };
    const { content } = await collectAnswer({ stream: streamOf([call, call, finish]) }, silent);
    const calls = content.filter((part) => part.type === 'tool-call');
    expect(calls.map(({ toolName }) => toolName)).toEqual(['a_b', 'a_b']);
    expect(new Set(calls.map(({ toolCallId }) => toolCallId)).size).toBe(2);
    for (const { toolCallId } of calls) expect(toolCallId).toMatch(/^[a-zA-Z0-9]{9}$/);
  });

  it('that breaks off is not asked for again', async () => {
    let calls = 0;
    const cause = new Error('connection reset');
    const stream = () =>
      new ReadableStream<LanguageModelV4StreamPart>({ pull: (controller) => controller.error(cause) });
    const model: LanguageModelV4 = {
      ...streaming([]),
      doGenerate: async () => {
        calls++;
        return collectAnswer({ stream: stream() }, silent);
      },
    };
    await expect(generateText({ model, prompt: 'hi', maxRetries: 3 })).rejects.toThrow(BrokenStream);
    expect(calls).toBe(1);
  });
});
