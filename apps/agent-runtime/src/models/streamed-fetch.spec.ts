import { describe, expect, it } from 'vitest';
import { streamedFetch } from './streamed-fetch.js';
import { UnusableAnswer } from './unusable-answer.js';

const EVENTS = 'text/event-stream';
const JSON_TYPE = 'application/json; charset=utf-8';

/** What comes of an answer, sent in pieces that end anywhere. */
async function passed(sent: string, type: string, { status = 200, isChat = true } = {}) {
  const pieces = sent.match(/[^]{1,7}/g) ?? [];
  const body = ReadableStream.from(pieces).pipeThrough(new TextEncoderStream());
  const fetched = new Response(body, { status, headers: { 'content-type': type } });
  const response = await streamedFetch(() => Promise.resolve(fetched), isChat)('http://localhost/');
  return { status: response.status, text: await response.text() };
}

const events = (...chunks: (object | string)[]) =>
  chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('');
const said = (content: string, finish: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});
const calls = (args: string) => ({
  choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: args } }] }, finish_reason: null }],
});
const STOP = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };

describe('chunks of a chat completion', () => {
  it.each([
    ['a reason that no chunk gives', [said('Grüße'), '[DONE]'], [said('Grüße'), STOP, '[DONE]']],
    ['no reason where there is one', [said('a', 'length'), '[DONE]'], [said('a', 'length'), '[DONE]']],
    ['no reason without an end', [said('a')], [said('a')]],
    ['no reason without an answer', ['[DONE]'], ['[DONE]']],
    ['no reason behind an empty one', [said(''), '[DONE]'], [said(''), '[DONE]']],
    [
      'a reason behind whole calls',
      [calls('{"a"'), calls(':1}'), '[DONE]'],
      [calls('{"a"'), calls(':1}'), STOP, '[DONE]'],
    ],
    ['no reason behind a cut call', [said('a'), calls('{"a"'), '[DONE]'], [said('a'), calls('{"a"'), '[DONE]']],
    ['no reason behind a call that had not begun', [calls(''), '[DONE]'], [calls(''), '[DONE]']],
    [
      'nothing for separators of Unicode',
      [said('a\u2028b\u2029c\u0085d', 'stop')],
      [said('a\u2028b\u2029c\u0085d', 'stop')],
    ],
    [
      'no reason for words about one',
      [said('"finish_reason": "stop"'), '[DONE]'],
      [said('"finish_reason": "stop"'), STOP, '[DONE]'],
    ],
    [
      'choices',
      [{ usage: {} }, { choices: null, id: 'a' }],
      [
        { usage: {}, choices: [] },
        { choices: [], id: 'a' },
      ],
    ],
    ['nothing for an error of null', [{ error: null, ...said('a') }], [said('a')]],
    ['nothing for an error', [{ error: { message: 'no' }, usage: {} }], [{ error: { message: 'no' }, usage: {} }]],
    ['nothing for what is no chunk', [{ detail: 'no' }, '{"half', 'null'], [{ detail: 'no' }, '{"half', 'null']],
  ])('get %s', async (_, sent, expected) => {
    expect((await passed(events(...sent), EVENTS)).text).toBe(events(...expected));
  });
});

describe('JSON in place of a stream', () => {
  it.each([
    [{ error: { message: 'no', code: 402 } }, 402],
    [{ error: { message: 'no', status: '429' } }, 429],
    [{ error: { message: 'no', code: '1113' } }, 500],
    [{ error: 'no', code: 401 }, 401],
    [[{ error: { code: 503 } }], 503],
  ])('gets the status of its error: %j', async (sent, status) => {
    for (const isChat of [true, false])
      expect(await passed(JSON.stringify(sent), JSON_TYPE, { isChat })).toEqual({ status, text: JSON.stringify(sent) });
  });

  it('is a whole answer as its events, also without a reason for its end', async () => {
    const call = { id: 'c', function: { name: 'look', arguments: '{}' } };
    const message = { role: 'assistant', content: 'Hi', tool_calls: [call] };
    const { text } = await passed(JSON.stringify({ id: 'x', choices: [{ index: 0, message }] }), JSON_TYPE);
    const delta = { ...message, tool_calls: [{ index: 0, ...call }] };
    expect(text).toBe(events({ id: 'x', choices: [{ index: 0, delta, finish_reason: 'stop' }] }, '[DONE]'));
  });

  it('is told where it is neither', async () => {
    for (const [sent, isChat] of [
      ['{"base_resp":{"status_msg":"no"}}', true],
      ['{"choices":[{"message":{}}]}', false],
    ] as const)
      await expect(passed(sent, JSON_TYPE, { isChat })).rejects.toThrow(
        new UnusableAnswer(`answered without a stream: ${sent}`),
      );
  });

  it('may be a stream under a wrong name', async () => {
    expect((await passed(events(said('a', 'stop'), '[DONE]'), JSON_TYPE)).text).toBe(
      events(said('a', 'stop'), '[DONE]'),
    );
  });

  it('is left alone with the status of an error', async () => {
    expect(await passed('{"error":{"code":402}}', JSON_TYPE, { status: 500 })).toEqual({
      status: 500,
      text: '{"error":{"code":402}}',
    });
  });
});
