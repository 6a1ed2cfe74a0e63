import fc from 'fast-check';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { markOf, needlesOf, Scrubber, scrubText, withoutSecrets } from './index.js';

const secret = fc.string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' });
const around = fc.string({ maxLength: 30, unit: 'grapheme-ascii' });
/** What programs make of a text to send it. */
const forms: Record<string, (text: string) => string> = {
  itself: (text) => text,
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  'base64 within other text': (text) => Buffer.from(`user:${text}!`).toString('base64'),
  percent: (text) => encodeURIComponent(text),
  json: (text) => JSON.stringify(text).slice(1, -1),
  hex: (text) => Buffer.from(text).toString('hex'),
};
/** As chunks that end wherever. */
function cut(bytes: Buffer, ends: number[]): Buffer[] {
  const places = [...new Set([0, ...ends.map((end) => end % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, at) => bytes.subarray(places[at] ?? 0, end));
}

describe.each(Object.entries(forms))('a secret as %s', (_, formOf) => {
  it('comes through in no chunks, and nothing changes its length', async () => {
    await fc.assert(
      fc.asyncProperty(
        secret,
        around,
        around,
        fc.array(fc.nat(200), { maxLength: 8 }),
        async (value, head, tail, ends) => {
          const bytes = Buffer.from(`${head}${formOf(value)}${tail}`);
          const needles = needlesOf([value]);
          const clean = await buffer(Readable.from(cut(bytes, ends)).pipe(new Scrubber(needles)));
          expect(clean.length).toBe(bytes.length);
          expect(needles.filter((needle) => clean.includes(needle)).map(String)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

it('what holds no secret passes as it is, byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat(300), { maxLength: 6 }),
      async (given, ends) => {
        const bytes = Buffer.from(given);
        const needles = needlesOf(['a secret that is not there']);
        expect(await buffer(Readable.from(cut(bytes, ends)).pipe(new Scrubber(needles)))).toEqual(bytes);
      },
    ),
  );
});

it.each([4, 8, 16, 17, 40])('a secret that reads as its mark of %i characters ends no process', async (length) => {
  const value = markOf(length);
  const needles = needlesOf([value]);
  const text = `a ${value}${value} b`;
  expect(scrubText(text, needles)).toHaveLength(text.length);
  expect(await buffer(Readable.from([Buffer.from(text)]).pipe(new Scrubber(needles)))).toHaveLength(text.length);
});

describe('a response of fetch', () => {
  it('shows neither a header’s value nor its parts, in body, headers or status', async () => {
    const token = 'token-of-the-test';
    const body = `data: ${Buffer.from(token).toString('base64')} ${token}\n\n`;
    const echoed = new Response(body, { status: 200, statusText: token, headers: { 'x-echo': `Bearer ${token}` } });
    const clean = withoutSecrets(echoed, [`Bearer ${token}`]);
    const text = [await clean.text(), clean.statusText, clean.headers.get('x-echo')].join('\n');
    expect(text).not.toContain(token);
    expect(text).not.toContain(Buffer.from(token).toString('base64').slice(0, -4));
    expect(text).toContain('[roost: removed]');
  });

  it('passes an event at once that could not be cut out of a secret', async () => {
    const source = new TransformStream<Uint8Array, Uint8Array>();
    const writer = source.writable.getWriter();
    const reader = withoutSecrets(new Response(source.readable), ['token-of-the-test']).body!.getReader();
    void writer.write(Buffer.from('data: 1\n\n'));
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('data: 1\n\n');
    await writer.close();
  });
});
