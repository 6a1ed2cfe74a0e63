import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerTooLarge, BoundedLines, limitedBody, printable } from './index.js';

/** Cuts bytes at the given places, as a socket would. */
function inChunks(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

function linesOf(chunks: Buffer[], maxLineBytes: number): string[] {
  const lines: string[] = [];
  const reader = new BoundedLines(maxLineBytes, (line) => lines.push(line));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return lines;
}

describe('bounded lines', () => {
  it('are those of the text, however it is cut on its way', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '💩', '\n', '\r'), maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat()), (sent, cuts) => {
        const expected = sent.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(linesOf(inChunks(Buffer.from(sent), cuts), 1_000)).toEqual(expected);
      }),
    );
  });

  it('hold no more than their limit of a line, and say how much is missing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 300 }),
        fc.array(fc.nat()),
        (max, length, cuts) => {
          const [line = ''] = linesOf(inChunks(Buffer.from('x'.repeat(length)), cuts), max);
          expect(line).toBe(
            length > max ? `${'x'.repeat(max)} [… ${length - max} bytes left out]` : 'x'.repeat(length),
          );
        },
      ),
    );
  });
});

describe('a limited body', () => {
  const read = async (chunks: Buffer[], limits: { maxBytes: number; maxLineBytes: number }) => {
    const body = new Blob(chunks).stream().pipeThrough(limitedBody({ ...limits, sender: 'the provider' }));
    return Buffer.from(await new Response(body).arrayBuffer()).toString();
  };
  const mib = 2 ** 20;

  it('passes on what is within the limits, any number of lines', async () => {
    const text = `${'y'.repeat(1_000)}\n`.repeat(2_000);
    await expect(read([Buffer.from(text)], { maxBytes: 4 * mib, maxLineBytes: mib })).resolves.toBe(text);
  });

  it('breaks off a line without an end and an answer without an end', async () => {
    const endless = [Buffer.alloc(3 * mib, 'z')];
    await expect(read(endless, { maxBytes: 4 * mib, maxLineBytes: mib })).rejects.toThrow(
      new AnswerTooLarge('the provider sent a line of more than 1 MiB'),
    );
    const many = [Buffer.from(`${'z'.repeat(999)}\n`.repeat(3_000))];
    await expect(read(many, { maxBytes: mib, maxLineBytes: mib })).rejects.toThrow('the provider sent more than 1 MiB');
  });
});

describe('printable text', () => {
  it('is one line in which every character shows', () => {
    expect(printable('a\nb\r\u001b[2J\u0000\u2028\u202e\ud800é💩')).toBe(
      'a\\u{a}b\\u{d}\\u{1b}[2J\\u{0}\\u{2028}\\u{202e}\\u{d800}é💩',
    );
  });
});
