import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventTooLargeError, type SseEvent, SseParser } from './sse-parser.js';

const read = (pieces: string[], parser = new SseParser()): SseEvent[] =>
  pieces.flatMap((piece) => [...parser.push(piece)]);

/** Everything that a stream may hold: fields known and not, comments, blank lines, odd line ends, odd characters. */
const line = fc.oneof(
  fc.constantFrom(
    'data',
    'data:',
    'data: ',
    'id',
    'id:',
    'event:',
    'retry: 100',
    'retry: soon',
    ':',
    ': still here',
    '',
  ),
  fc
    .record({ field: fc.constantFrom('data', 'id', 'event', 'retry', 'other', ' data'), value: fc.string() })
    .map(({ field, value }) => `${field}:${value.replace(/[\r\n]/g, '')}`),
);
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 30 })
  .map((lines) => lines.map(([text, end]) => text + end).join(''));

/** A text cut at any places. */
const cut = (text: string, places: number[]) => {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...at, text.length].map((end, n) => text.slice(n === 0 ? 0 : at[n - 1], end));
};

describe('the parser of server-sent events', () => {
  it('gives the same events however the text is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (text, places) => {
        expect(read(cut(text, places))).toEqual(read([text]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the events that another parser gives', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const others: { data: string; event: string }[] = [];
        // It takes a lone CR for a line end only when more follows.
        const plain = text.replace(/\r\n?/g, '\n');
        const parser = createParser({
          onEvent: ({ data, event }) =>
            others.push({ data, event: event === undefined || event === '' ? 'message' : event }),
        });
        parser.feed(plain);
        const ours = read([text]).flatMap(({ data, event }) => (data === undefined ? [] : [{ data, event }]));
        expect(ours).toEqual(others);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps the last id for events without one, and gives an id that comes alone', () => {
    expect(read(['id: 1\n\ndata: a\n\n: comment\n\nid: 2\ndata: b\ndata: c\n\nid: no\0\ndata: d\n\n'])).toEqual([
      { data: undefined, event: 'message', lastEventId: '1' },
      { data: 'a', event: 'message', lastEventId: '1' },
      { data: 'b\nc', event: 'message', lastEventId: '2' },
      { data: 'd', event: 'message', lastEventId: '2' },
    ]);
  });

  it('drops what was not ended, and reads the pause that the server asks for', () => {
    const parser = new SseParser();
    expect(read(['\uFEFFretry: 1500\ndata: half'], parser)).toEqual([]);
    expect(parser.retryMs).toBe(1_500);
  });

  it.each([
    ['one line without an end', (size: number) => ['data: ', ...Array<string>(size).fill('x'.repeat(100))]],
    ['many lines of one event', (size: number) => Array<string>(size).fill(`data: ${'x'.repeat(100)}\n`)],
    ['one piece', (size: number) => [`data: ${'x'.repeat(100 * size)}\n`]],
  ])('bounds what it holds: %s', (_, pieces) => {
    const small = read([...pieces(5), '\n\n'], new SseParser(1_000));
    expect(small.at(-1)?.data?.replaceAll('\n', '')).toHaveLength(500);
    expect(() => read(pieces(50), new SseParser(1_000))).toThrow(EventTooLargeError);
  });
});
