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

  it.each([
    [400, 'Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)'],
    [400, 'Invalid request: total message size 10176584 exceeds limit 2097152'],
    [400, '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]'],
    [400, 'tokens in request more than max tokens allowed'],
    [400, 'Prompt exceeds max length'],
    [400, 'the input token count is 33000 but model only supports up to 32768'],
    [400, 'prompt token count of 200000 exceeds the limit of 128000'],
    [
      400,
      'The decoder prompt (length 6001) is longer than the maximum model length of 4096. For image inputs, the number of image tokens depends on the number of images.',
    ],
    [
      400,
      "'max_tokens' or 'max_completion_tokens' is too large: 1024. This model's maximum context length is 4096 tokens and your request has 3500 input tokens",
    ],
    [400, "The input (516368 tokens) is longer than the model's context length (262144 tokens)."],
    [400, 'prompt too long; exceeded max context length by 4 tokens'],
    [422, '`inputs` must have less than 1024 tokens. Given: 2048'],
    [
      429,
      'Request too large for gpt-4.1 (for limit gpt-4.1) in organization org-x on tokens per min (TPM): Limit 30000, Requested 37313. The input or output tokens must be reduced in order to run successfully.',
    ],
  ])('%i “%s” says that the context is too long', (status, message) => {
    expect(modelFailure(answered(status, message), model)).toMatchObject({ code: 'MODEL_CONTEXT_TOO_LONG' });
  });

  it.each([
    [400, 'max_tokens is too large: 200000. This model supports at most 128000 completion tokens.'],
    [400, 'max_tokens: 64000 > 32000, which is the maximum allowed number of output tokens for claude-x'],
    [400, 'max_completion_tokens must be less than or equal to 8192'],
    [
      400,
      '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is below `context_window`',
    ],
    [400, 'The maximum tokens you requested is wrong: try again with a maximum tokens value that is lower than 8192.'],
    [400, 'Range of max_tokens should be [1, 8192]'],
    [400, 'messages.1.content.0.image.source.base64: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes'],
    [400, 'messages.0.content: too many images and documents: 101 > 100'],
    [400, 'The image input exceeds the limit of 20 MB'],
    [400, 'The request failed because the size of the input image (14 MB) exceeds the limit (10 MB).'],
    [400, 'input size exceed limit 2048x2048,current input:(1080,2376)'],
    [400, "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40"],
    [400, "Invalid 'input[2].call_id': string too long. Expected a string with maximum length 64"],
    [400, 'tools.0.custom.input_schema: property name is too long'],
    [
      429,
      'Rate limit reached for gpt-4.1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.',
    ],
    [429, 'Rate limit reached for gpt-4.1 on requests per min (RPM): Limit 3, Used 3, Requested 1.'],
    [429, "This request would exceed your organization's rate limit of 30,000 input tokens per minute"],
  ])('%i “%s” does not', (status, message) => {
    const code = status === 429 ? 'MODEL_OVERLOADED' : 'MODEL_REFUSED_REQUEST';
    expect(modelFailure(answered(status, message), model)).toMatchObject({ code });
  });

  const EXTRA = {
    type: 'extra_forbidden',
    loc: ['body', 'messages', 2, 'assistant', 'reasoning_content'],
    msg: 'Extra',
  };
  const FIELD = 'body.messages.2.assistant.reasoning_content: Extra';
  const FLAGGED = {
    code: 403,
    message: 'Your input was flagged',
    metadata: { reasons: ['x'], flagged_input: 'words' },
  };
  it.each([
    ['what a field repeats of the conversation', 422, { detail: [{ ...EXTRA, input: 'the context window' }] }, FIELD],
    ['a list of fields', 422, { detail: [EXTRA, EXTRA] }, `${FIELD}; ${FIELD}`],
    [
      'one within a message',
      422,
      { object: 'error', message: { detail: [EXTRA] }, type: 'invalid_request_error' },
      FIELD,
    ],
    ['a field without its place', 422, { detail: [{ msg: 'Extra' }, 'odd', null] }, '(HTTP 422): Extra'],
    ['moderation', 403, { error: FLAGGED }, '(HTTP 403): Your input was flagged'],
    [
      'a chat template that fails',
      500,
      { error: { code: 500, message: 'Jinja Exception: Conversation roles must alternate', type: 'server_error' } },
      'roles must alternate',
    ],
  ])('is a refused request where it is %s', (_, statusCode, sent, words) => {
    const responseBody = JSON.stringify(sent);
    const error = new APICallError({ url: '', requestBodyValues: {}, statusCode, message: 'No', responseBody });
    const failure = modelFailure(error, model);
    expect(failure).toMatchObject({ code: 'MODEL_REFUSED_REQUEST', retryable: false });
    expect(failure.message).toContain(words);
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
