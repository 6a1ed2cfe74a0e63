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
    [500, 'oops', 'MODEL_OVERLOADED', true],
    [529, 'overloaded_error', 'MODEL_OVERLOADED', true],
  ])('%i “%s” is %s', (status, message, code, retryable) => {
    expect(modelFailure(answered(status, message), model)).toMatchObject({ code, retryable });
  });

  it('names whose key was refused', () => {
    expect(modelFailure(answered(401, 'no'), model).message).toBe(
      "google refused the account's google key: set a valid key",
    );
  });
});
