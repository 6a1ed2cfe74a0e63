import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { isStepCount, streamText, tool } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { MisbehavingProvider, type WireName } from './index.js';

describe('the misbehaving provider', () => {
  let provider: MisbehavingProvider;
  beforeAll(async () => void (provider = await MisbehavingProvider.start()));
  afterAll(() => provider.stop());

  const model = (wire: WireName) => {
    const [apiKey, url] = ['sk-test', provider.url];
    switch (wire) {
      case 'anthropic':
        return createAnthropic({ apiKey, baseURL: `${url}/v1` })('claude-test');
      case 'openai-chat':
        return createOpenAICompatible({ name: 'odd', apiKey, baseURL: `${url}/v1`, includeUsage: true })('gpt-test');
      case 'openai-responses':
        return createOpenAI({ apiKey, baseURL: `${url}/v1` })('gpt-5-test');
      case 'google':
        return createGoogle({ apiKey, baseURL: `${url}/v1beta` })('gemini-test');
    }
  };
  const WIRES: WireName[] = ['anthropic', 'openai-chat', 'openai-responses', 'google'];

  it.each(WIRES)('answers over %s as its SDK understands it', async (wire) => {
    const name = `wire-${wire}`;
    provider.script(
      name,
      { answer: { reasoning: 'hm', text: 'I look.', calls: [{ name: 'look', args: { at: 'sky' } }] } },
      { answer: { text: 'It is blue.', usage: { input: 321, output: 7 } } },
    );
    const answer = streamText({
      model: model(wire),
      prompt: `look @${name}`,
      providerOptions: { openai: { store: false } },
      stopWhen: isStepCount(3),
      tools: { look: tool({ inputSchema: z.object({ at: z.string() }), execute: ({ at }) => `blue ${at}` }) },
    });
    const steps = await answer.steps;
    expect(steps.map(({ text, finishReason }) => [text, finishReason])).toEqual([
      ['I look.', 'tool-calls'],
      ['It is blue.', 'stop'],
    ]);
    expect(steps[1]?.usage).toMatchObject({ inputTokens: 321, outputTokens: 7 });
    expect(provider.of(name)[1]?.toolResults.map(({ text }) => text)).toEqual(['blue sky']);
    expect(provider.of(name).map(({ refused }) => refused)).toEqual([undefined, undefined]);
  });

  const post = async (path: string, body: object) => {
    const headers = { 'x-api-key': 'k', 'x-goog-api-key': 'k', 'anthropic-version': '2023-06-01' };
    const response = await fetch(`${provider.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.text() };
  };
  const user = { role: 'user', content: 'hi @x' };
  const schema = { type: 'object', properties: {} };
  const called = (id: string) => ({ role: 'assistant', content: [{ type: 'tool_use', id, name: 'a', input: {} }] });
  const result = (id: string) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] });
  const anthropic = (messages: object[], rest: object = {}) => ({ model: 'm', max_tokens: 9, messages, ...rest });
  const chatCall = (id: string) => ({
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name: 'a', arguments: '{}' } }],
  });
  const chat = (messages: object[], parameters: object = schema) => ({
    model: 'm',
    messages,
    tools: [{ type: 'function', function: { name: 'a', parameters } }],
  });
  const google = (contents: object[], parameters: object = schema) => ({
    contents,
    tools: [{ functionDeclarations: [{ name: 'a', parameters }] }],
  });
  const say = { role: 'user', parts: [{ text: 'hi' }] };

  it.each<[string, string, object, RegExp]>([
    ['blank text', '/v1/messages', anthropic([{ role: 'user', content: ' \n' }]), /non-whitespace/],
    ['half of a pair', '/v1/messages', anthropic([{ role: 'user', content: 'cut \ud83d' }]), /no low surrogate/],
    ['no max_tokens', '/v1/messages', { model: 'm', messages: [user] }, /max_tokens/],
    ['an odd id', '/v1/messages', anthropic([user, called('f.a:0'), result('f.a:0')]), /should match pattern/],
    ['a repeated id', '/v1/messages', anthropic([user, called('c'), result('c'), called('c'), result('c')]), /unique/],
    ['an unanswered call', '/v1/messages', anthropic([user, called('c'), user]), /without `tool_result`/],
    ['an answer without a call', '/v1/messages', anthropic([user, result('c')]), /unexpected/],
    ['a prefilled answer', '/v1/messages', anthropic([user, { role: 'assistant', content: 'So' }]), /prefill/],
    ['a beginning by the assistant', '/v1/messages', anthropic([called('c'), result('c')]), /first message/],
    [
      'alternatives at the top of a schema',
      '/v1/messages',
      anthropic([user], { tools: [{ name: 'a', input_schema: { ...schema, anyOf: [] } }] }),
      /top level/,
    ],
    [
      'a property named $filter',
      '/v1/messages',
      anthropic([user], { tools: [{ name: 'a', input_schema: { type: 'object', properties: { $filter: {} } } }] }),
      /Property keys/,
    ],
    [
      'a reference to nowhere',
      '/v1/messages',
      anthropic([user], { tools: [{ name: 'a', input_schema: { ...schema, items: { $ref: '#/x' } } }] }),
      /2020-12/,
    ],
    ['an unanswered call', '/v1/chat/completions', chat([user, chatCall('c'), user]), /must be followed/],
    ['an id of 41 characters', '/v1/chat/completions', chat([user, chatCall('c'.repeat(41))]), /maximum length 40/],
    ['a schema without a type', '/v1/chat/completions', chat([user], { properties: {} }), /type \\"object\\"/],
    [
      'a list of nothing',
      '/v1/chat/completions',
      chat([user], { type: 'object', properties: { a: { type: 'array' } } }),
      /missing items/,
    ],
    [
      'an unanswered call',
      '/v1/responses',
      { model: 'm', input: [{ type: 'function_call', call_id: 'c', name: 'a', arguments: '{}' }] },
      /No tool output found/,
    ],
    ['a reference', '/v1beta/models/g:streamGenerateContent', google([say], { type: 'object', $ref: '#' }), /\$ref/],
    [
      'oneOf',
      '/v1beta/models/g:streamGenerateContent',
      google([say], { type: 'object', properties: { a: { oneOf: [{ type: 'string' }], type: 'string' } } }),
      /Unknown name/,
    ],
    [
      'a call without its answer',
      '/v1beta/models/g:streamGenerateContent',
      google([say, { role: 'model', parts: [{ functionCall: { name: 'a', args: {} } }] }, say]),
      /number of function response parts/,
    ],
  ])('refuses %s on %s', async (_, path, body, why) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(why);
  });
});
