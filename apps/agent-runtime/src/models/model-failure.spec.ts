import { APICallError } from 'ai';
import { describe, expect, it } from 'vitest';
import { modelFailure } from './model-failure.js';

const model = { provider: 'google', modelId: 'gemini', keySource: 'account' } as const;
const answered = (statusCode: number, message: string) =>
  new APICallError({ url: 'http://model', requestBodyValues: {}, statusCode, message, responseBody: message });

describe('what a provider answers', () => {
  it.each([
    [401, 'no', 'MODEL_KEY_REFUSED', false],
    [403, 'no', 'MODEL_KEY_REFUSED', false],
    [400, 'API key not valid. Please pass a valid API key.', 'MODEL_KEY_REFUSED', false],
    [400, "This model's maximum context length is 128000 tokens", 'MODEL_CONTEXT_TOO_LONG', false],
    [400, 'prompt is too long: 250000 tokens > 200000 maximum', 'MODEL_CONTEXT_TOO_LONG', false],
    [
      400,
      'The input token count (2000000) exceeds the maximum number of tokens allowed',
      'MODEL_CONTEXT_TOO_LONG',
      false,
    ],
    [413, 'too large', 'MODEL_CONTEXT_TOO_LONG', false],
    [400, 'temperature must be at most 2', 'MODEL_REFUSED_REQUEST', false],
    [404, 'no such model', 'MODEL_NOT_FOUND', false],
    [429, 'slow down', 'MODEL_OVERLOADED', true],
    [500, 'oops', 'MODEL_FAILED', true],
    [502, 'bad gateway', 'MODEL_FAILED', true],
    [503, 'busy', 'MODEL_OVERLOADED', true],
    [402, 'pay', 'MODEL_BILLING', false],
    [529, 'overloaded_error', 'MODEL_OVERLOADED', true],
  ])('%i “%s” is %s', (status, message, code, retryable) => {
    expect(modelFailure(answered(status, message), model)).toMatchObject({ code, retryable });
  });

  it('names whose key was refused', () => {
    expect(modelFailure(answered(401, 'no'), model).message).toBe(
      "google refused the account's google key: set a valid key: no",
    );
  });

  it.each([
    ['Incorrect API key provided: sk-proj-abc123. See the page.', 'sk-proj-abc123'],
    ['Incorrect API key provided: hunter22', 'hunter22'],
    ['{"error":{"message":"token=abc9 is expired"}}', 'abc9'],
    ['the header was Bearer abcdef123456', 'abcdef123456'],
    ['no such key AIzaSyA1234567890abcdefghij', 'AIzaSy'],
    ['at http://me:pass1@gateway/v1', 'pass1'],
    ['got 0123456789abcdef0123456789abcdef', '0123456789abcdef'],
  ])('repeats the provider’s message, and no secret: %s', (sent, secret) => {
    const { message } = modelFailure(answered(400, sent), model);
    expect(message).toContain('***');
    expect(message).not.toContain(secret);
  });

  it('hides the key itself, however it is written', () => {
    const hideKey = (text: string) => text.replaceAll('hunter22', '***');
    expect(modelFailure(answered(400, 'I do not know hunter22!'), { ...model, hideKey }).message).toBe(
      'google refused the request (HTTP 400): I do not know ***!',
    );
  });

  it('cuts what a provider says, keeps names of models, and never says what may not come', () => {
    const { message } = modelFailure(answered(400, `claude-sonnet-4-5-20250929 ${'a\n b'.repeat(100_000)}`), model);
    expect(message).toContain('claude-sonnet-4-5-20250929');
    expect(message.length).toBeLessThan(600);
    for (const status of [408, 429, 500, 503])
      expect(modelFailure(answered(status, 'x'), model).message).not.toMatch(/again/);
    expect(modelFailure(new Error('socket hang up'), model).message).not.toMatch(/again/);
  });
});
