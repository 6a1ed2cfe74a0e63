import { APICallError, TypeValidationError } from 'ai';
import { describe, expect, it } from 'vitest';
import { BrokenStream } from './collect-answer.js';
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
    [
      400,
      'input length and `max_tokens` exceed context limit: 150000 + 64000 > 200000, decrease input length or `max_tokens` and try again',
      'MODEL_CONTEXT_TOO_LONG',
      false,
    ],
    [400, 'the request exceeds the available context size. try increasing it', 'MODEL_CONTEXT_TOO_LONG', false],
    [500, 'the request exceeds the available context size. try increasing it', 'MODEL_CONTEXT_TOO_LONG', false],
    [
      400,
      "This model's maximum prompt length is 131072 but the request contains 150000 tokens.",
      'MODEL_CONTEXT_TOO_LONG',
      false,
    ],
    [422, '`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 9000', 'MODEL_CONTEXT_TOO_LONG', false],
    [400, 'Input is too long for requested model.', 'MODEL_CONTEXT_TOO_LONG', false],
    [429, 'Rate limit reached: maximum of 30000 tokens per minute', 'MODEL_OVERLOADED', true],
    [413, 'too large', 'MODEL_CONTEXT_TOO_LONG', false],
    [400, 'temperature must be at most 2', 'MODEL_REFUSED_REQUEST', false],
    [404, 'no such model', 'MODEL_NOT_FOUND', false],
    [404, 'No endpoints found for odd/model.', 'MODEL_NOT_FOUND', false],
    [404, 'No endpoints found that support image input', 'MODEL_REFUSED_REQUEST', false],
    [404, 'No endpoints found that support input audio', 'MODEL_REFUSED_REQUEST', false],
    [500, 'image input is not supported - hint: you may need to provide the mmproj', 'MODEL_REFUSED_REQUEST', false],
    [500, 'this model is missing data required for image input', 'MODEL_REFUSED_REQUEST', false],
    [501, 'This model does not support images', 'MODEL_REFUSED_REQUEST', false],
    [503, 'the image is not ready', 'MODEL_OVERLOADED', true],
    [429, 'slow down', 'MODEL_OVERLOADED', true],
    [500, 'oops', 'MODEL_FAILED', true],
    [502, 'bad gateway', 'MODEL_FAILED', true],
    [503, 'busy', 'MODEL_OVERLOADED', true],
    [402, 'pay', 'MODEL_BILLING', false],
    [
      400,
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      'MODEL_BILLING',
      false,
    ],
    [
      403,
      'Your team has either used all available credits or reached its monthly spending limit.',
      'MODEL_BILLING',
      false,
    ],
    [429, 'You exceeded your current quota, please check your plan and billing details', 'MODEL_OVERLOADED', true],
    [529, 'overloaded_error', 'MODEL_OVERLOADED', true],
  ])('%i “%s” is %s', (status, message, code, retryable) => {
    expect(modelFailure(answered(status, message), model)).toMatchObject({ code, retryable });
  });

  const LONG = 'The number of tokens to keep from the initial prompt is greater than the context length';
  it.each<[string, unknown, string, boolean, string]>([
    ['words alone', { message: 'model crashed' }, 'MODEL_FAILED', true, 'model crashed'],
    ['words alone, of length', { message: LONG }, 'MODEL_CONTEXT_TOO_LONG', false, LONG],
    ['words alone, of a picture', { message: 'image input is not supported' }, 'MODEL_REFUSED_REQUEST', false, 'image'],
    ['a text', 'out of memory', 'MODEL_FAILED', true, 'out of memory'],
    ['402', { code: 402, message: 'Insufficient credits' }, 'MODEL_BILLING', false, 'Insufficient credits'],
    ['502', { code: 502, message: 'Provider disconnected' }, 'MODEL_FAILED', true, 'Provider disconnected'],
    ['429 as a text', { code: '429', message: 'slow down' }, 'MODEL_OVERLOADED', true, 'slow down'],
    ['a kind', { type: 'overloaded_error', message: 'Overloaded' }, 'MODEL_OVERLOADED', true, 'Overloaded'],
    [
      'what the router was told',
      { code: 400, message: 'Provider returned error', metadata: { raw: 'prompt is too long: 9 tokens > 8 maximum' } },
      'MODEL_CONTEXT_TOO_LONG',
      false,
      'Provider returned error',
    ],
    ...[{ error: 'out of memory' }, { error: { message: 'out of memory', code: null } }].map(
      (value): [string, unknown, string, boolean, string] => [
        `no event of its wire: ${JSON.stringify(value)}`,
        new TypeValidationError({ value, cause: new Error('no choices') }),
        'MODEL_FAILED',
        true,
        'out of memory',
      ],
    ),
  ])('is reported within a stream by %s', (_, event, code, retryable, words) => {
    const failure = modelFailure(new BrokenStream(event), model);
    expect(failure).toMatchObject({ code, retryable });
    expect(failure.message).toContain(words);
  });

  it.each([
    ['Ollama', '{"error":"model \'odd\' not found, try pulling it first"}', 'try pulling it first'],
    ['Google’s compatible endpoint', '[{"error":{"code":404,"message":"models/odd is not found"}}]', 'models/odd'],
    ['a Python server', '{"detail":"no model odd"}', 'no model odd'],
    ['a server without JSON', 'model odd is not loaded\n', 'model odd is not loaded'],
    ['a proxy’s page', '<html>\n<head><TITLE>404 Nobody here</TITLE></head><body>…</body></html>', ': 404 Nobody here'],
    ['a page without a title', '<!doctype html><p>gone', ': Not Found'],
    ['an answer without a body', '', ': Not Found'],
    ['JSON that says nothing', '{"ok":false}', ': Not Found'],
  ])('repeats the words of %s', (_, responseBody, words) => {
    const error = new APICallError({
      url: '',
      requestBodyValues: {},
      statusCode: 404,
      message: 'Not Found',
      responseBody,
    });
    const failure = modelFailure(error, model);
    expect(failure).toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(failure.message).toContain(words);
  });

  it.each([
    ['garbage within a stream', new TypeValidationError({ value: { choices: 5 }, cause: new Error('no list') })],
    ['a connection that broke', new TypeError('terminated')],
    ['nothing', null],
  ])('is not what comes of %s', (_, error) => {
    expect(modelFailure(new BrokenStream(error), model)).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true });
  });

  it.each([
    ['in seconds', { 'retry-after': '60' }, '', 60_000],
    ['in milliseconds', { 'retry-after-ms': '1500', 'retry-after': '2' }, '', 1_500],
    [
      'in the body, as Google does',
      {},
      '{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}',
      34_070,
    ],
    ['not at all', {}, '{"error":{"code":429,"details":[{"retryDelay":34}]}}', undefined],
  ])('is told how long to wait %s', (_, responseHeaders, responseBody, expected) => {
    const sent = { url: '', requestBodyValues: {}, statusCode: 429, message: 'slow down' };
    const error = new APICallError({ ...sent, responseHeaders, responseBody });
    expect(modelFailure(error, model).retryAfterMs).toBe(expected);
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
