import { type ServerRule, serverRules, type WireName } from '#lib/testing';
import type { ModelMessage } from 'ai';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OLD_MESSAGES } from '../../../test/old-transcript.js';
import { wireRequest } from '../../../test/wire-request.js';
import { withoutBase64 } from './base64-text.js';
import { promptFor } from './prompt-for.js';

const WIRES: WireName[] = ['anthropic', 'openai-chat', 'openai-responses', 'google'];
const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001', 'hex').toString('base64');

const text = fc.constantFrom('', ' ', '\n\n', 'words', 'x'.repeat(300), '\u00a0', '😀', 'half \ud83d', '\ude00');
const id = fc.constantFrom('call_0', 'functions.read:0', 'toolu_1', 'ü', 'c'.repeat(200), '', 'aB3');
const name = fc.constantFrom('bash', 'a.b', 'a_b', '7up', 'поиск', 'n'.repeat(100), 'with space');
const input = fc.oneof(
  fc.constantFrom<unknown>('half {', null, [1], 5, {}, { deep: { er: [null] } }, { 'key \ud83d': ['\ud83d'] }),
  fc.object({ maxDepth: 2 }),
);
const metadata = fc.constantFrom(
  undefined,
  { anthropic: { signature: 'sig' } },
  { openai: { itemId: 'x' } },
  { google: { thoughtSignature: 'g' } },
);
const withMetadata = <T extends object>(part: T, providerOptions: object | undefined) =>
  (providerOptions ? { ...part, providerOptions } : part) as T;
const output = fc.oneof(
  text.map((value) => ({ type: 'text' as const, value })),
  text.map((value) => ({ type: 'error-text' as const, value })),
  fc.constant({ type: 'json' as const, value: { a: 1 } }),
  fc
    .array(
      fc.oneof(
        text.map((value) => ({ type: 'text' as const, text: value })),
        fc
          .constantFrom(
            ['image/png', PNG],
            ['image/gif', 'R0lGODlhAQABAAAAACw='],
            ['audio/mp3', PNG],
            ['application/pdf', 'JVBERi0xLjQKJcOkw7w='],
          )
          .map(([mediaType = '', data = '']) => ({ type: 'file-data' as const, data, mediaType })),
      ),
      { maxLength: 3 },
    )
    .map((value) => ({ type: 'content' as const, value })),
);

const message: fc.Arbitrary<ModelMessage> = fc.oneof(
  text.map((content) => ({ role: 'user' as const, content })),
  fc.array(text, { maxLength: 3 }).map((texts) => ({
    role: 'user' as const,
    content: texts.map((value) => ({ type: 'text' as const, text: value })),
  })),
  text.map((content) => ({ role: 'assistant' as const, content })),
  fc
    .array(
      fc.oneof(
        fc.tuple(text, metadata).map(([value, meta]) => withMetadata({ type: 'text' as const, text: value }, meta)),
        fc
          .tuple(text, metadata)
          .map(([value, meta]) => withMetadata({ type: 'reasoning' as const, text: value }, meta)),
        fc
          .tuple(id, name, input)
          .map(([toolCallId, toolName, value]) => ({ type: 'tool-call' as const, toolCallId, toolName, input: value })),
      ),
      { maxLength: 4 },
    )
    .map((content) => ({ role: 'assistant' as const, content })),
  fc
    .array(
      fc.tuple(id, name, output).map(([toolCallId, toolName, value]) => ({
        type: 'tool-result' as const,
        toolCallId,
        toolName,
        output: value,
      })),
      { maxLength: 4 },
    )
    .map((content) => ({ role: 'tool' as const, content })),
);

describe.each(WIRES)('a prompt for %s', (wire) => {
  it('is taken by the provider, whatever was recorded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 10 }), async (messages) => {
        await wireRequest(wire, messages);
      }),
      { numRuns: 150 },
    );
  });

  it('is taken with the transcript of an earlier version, and contains all of it', async () => {
    const body = await wireRequest(wire, [...OLD_MESSAGES, { role: 'user', content: 'and now?' }]);
    for (const text of ['the first wish', 'The first is done.', 'never answered', 'And one word more.', 'and now?'])
      expect(body).toContain(text);
    expect(body).not.toContain('an answer to no call');
  });

  it('begins as the one before it did, so that it can be cached', () => {
    const first = promptFor(wire, [...OLD_MESSAGES, { role: 'user', content: 'one' }]);
    const next = promptFor(wire, [
      ...OLD_MESSAGES,
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ]);
    expect(next.slice(0, first.length)).toEqual(first);
  });

  it('has no half of a surrogate pair, wherever a text was cut', async () => {
    const half = 'cut \ud83d';
    const properties = { text: { type: 'string', description: half, enum: [half] } };
    const tools = [
      { name: 'cut', description: half, schema: { type: 'object', properties } },
      // OpenAI takes 1,024 characters of it: the last would be half a letter.
      { name: 'long', description: `${'x'.repeat(1_022)}😀😀`, schema: { type: 'object', properties: {} } },
    ];
    const body = await wireRequest(wire, [{ role: 'user', content: half }], tools, `You are ${half}`);
    expect(body.split('cut \ufffd')).toHaveLength(6);
  });

  it('shows a picture that a tool returned as a picture', async () => {
    const body = await wireRequest(wire, pictured('image/png', PNG));
    expect(body.split(PNG)).toHaveLength(2);
    expect(JSON.parse(body)).not.toEqual(expect.stringContaining(`"data":"${PNG}`));
  });

  it('names what its model does not take', async () => {
    const body = await wireRequest(wire, pictured('video/mp4', 'AAAA'));
    expect(body).toContain('a file of type video/mp4, left out');
    expect(body).not.toContain('AAAA');
  });

  it('holds no more files than a request may', async () => {
    const big = Buffer.concat([Buffer.from(PNG, 'base64'), Buffer.alloc(1_000_000)]).toString('base64');
    const body = await wireRequest(wire, Array.from({ length: 20 }, () => pictured('image/png', big)).flat());
    expect(body.length).toBeLessThan(13_000_000);
    expect(body).toContain('left out: too many');
  });
});

describe('a server that is stricter than its wire', () => {
  const { rolesMustAlternate, resultsMustBeAnswered, textsMustBeOne, thoughtsAreRefused, thoughtsAreWanted } =
    serverRules;
  const user = (content: string): ModelMessage => ({ role: 'user', content });
  const called: ModelMessage[] = [
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Hm.', providerOptions: { anthropic: { signature: 'sig' } } },
        { type: 'tool-call', toolCallId: 'c', toolName: 'look', input: {} },
      ],
    },
    {
      role: 'tool',
      content: [{ type: 'tool-result', toolCallId: 'c', toolName: 'look', output: { type: 'text', value: 'seen' } }],
    },
  ];
  const CONVERSATIONS: [string, ModelMessage[]][] = [
    ['an unanswered message', [user('one'), user('two')]],
    ['a summary', [user('[Summary]'), user('one'), { role: 'assistant', content: 'two' }, user('three')]],
    ['a reminder after a result', [user('one'), ...called, user('[1 new message waits]')]],
    ['an interrupted turn', [user('one'), ...called, user('[This turn was interrupted.]'), user('two')]],
    ['a picture of a tool', pictured('image/png', PNG)],
    ['an old transcript', [...OLD_MESSAGES, user('and now?')]],
  ];
  const SERVERS: [string, ServerRule[]][] = [
    ['wants roles to alternate', [rolesMustAlternate()]],
    ['fails where they do not', [rolesMustAlternate(500)]],
    ['wants results to be answered', [resultsMustBeAnswered]],
    ['takes one text', [textsMustBeOne]],
    ['refuses thoughts', [thoughtsAreRefused]],
    ['wants thoughts', [thoughtsAreWanted, resultsMustBeAnswered]],
    ['does all of it', [thoughtsAreRefused, textsMustBeOne, resultsMustBeAnswered, rolesMustAlternate()]],
  ];

  it.each(SERVERS.flatMap(([server, rules]) => CONVERSATIONS.map(([name, of]) => ({ server, rules, name, of }))))(
    'that $server takes $name, and all of its words',
    async ({ rules, of }) => {
      const body = await wireRequest('openai-chat', of, [], undefined, rules);
      for (const { role, content } of of)
        if (role === 'user' && typeof content === 'string') expect(body).toContain(content);
    },
  );

  it.each(WIRES)('takes whatever was recorded, over %s', async (wire) => {
    const rules = SERVERS.at(-1)?.[1];
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 10 }), async (messages) => {
        await wireRequest(wire, messages, [], undefined, rules);
      }),
      { numRuns: 100 },
    );
  });

  it('is not what others get: they see what is apart, and what the model thought', async () => {
    const body = await wireRequest('openai-chat', [user('one'), ...called, user('two'), user('three')]);
    expect(body).toContain('"reasoning_content":"Hm."');
    expect(body).toContain('{"role":"user","content":"two"},{"role":"user","content":"three"}');
  });
});

function pictured(mediaType: string, data: string): ModelMessage[] {
  const of = { toolCallId: 'c', toolName: 'shot' };
  return [
    { role: 'user', content: 'look' },
    { role: 'assistant', content: [{ type: 'tool-call', ...of, input: {} }] },
    {
      role: 'tool',
      content: [
        { type: 'tool-result', ...of, output: { type: 'content', value: [{ type: 'file-data', data, mediaType }] } },
      ],
    },
    { role: 'user', content: 'well?' },
  ];
}

describe('base64 in a text', () => {
  const long = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 7919) % 256)).toString('base64');
  it.each([
    [
      'a data URL',
      `see data:image/png;base64,${long} there`,
      /^see \[4022 characters of base64, image\/png, left out\] there$/,
    ],
    ['a long run', `"${long}"`, /^"\[4000 characters of base64 left out\]"$/],
    ['lines of it', long.replace(/.{76}/g, '$&\n'), /^\[\d+ characters of base64 left out\]$/],
    ['a gene', 'ACGT'.repeat(1_000), /^(ACGT){1000}$/],
    ['dashes and digits', '1234567890'.repeat(200), /^(1234567890){200}$/],
    ['a key', `key ${long.slice(0, 200)}`, /^key .{200}$/],
  ])('%s', (_, given, expected) => expect(withoutBase64(given)).toMatch(expected));
});
