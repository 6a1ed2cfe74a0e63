import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lettersOf, RUNS } from '../../test/random-markdown.js';
import { DISCORD_LIMIT, discordMarkdown } from './discord-markdown.js';

/** Is all of it there, in order? The language of a fence may be there more than once, since fences are re-opened. */
function isWithin(text: string, shown: string): boolean {
  let at = 0;
  for (const character of text) {
    at = shown.indexOf(character, at) + character.length;
    if (at < character.length) return false;
  }
  return true;
}

const word = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    'שלום',
    'مرحبا',
    '👩‍👩‍👧',
    '@everyone',
    '<@1>',
    '_',
    '__',
    '*',
    '**',
    '`',
    '``',
    '~~',
    '[',
    '](',
    '\\',
    '#',
    '|',
    '||',
  ),
);
const inlineText = fc.array(word, { maxLength: 30 }).map((words) => words.join(' ').replace(/[\r\n]/g, ' '));
const block = fc.oneof(
  inlineText,
  inlineText.map((text) => `__${text}__`),
  inlineText.map((text) => `##### ${text}`),
  inlineText.map((text) => `![${text.replaceAll(']', '')}](https://x.example/a.png)`),
  fc.constantFrom('', '```', '~~~', '````', '```ts\nx', '| a | b |\n|---|---|\n| 1 | 2 |'),
  fc.tuple(inlineText, fc.integer({ min: 1, max: 400 })).map(([text, times]) => text.repeat(times).slice(0, 20_000)),
  fc.array(inlineText, { maxLength: 40 }).map((lines) => `\`\`\`\n${lines.join('\n')}\n\`\`\``),
);
const markdown = fc.array(block, { maxLength: 20 }).map((blocks) => blocks.join('\n'));

/** Opening fences name their language; inside a message every fence is closed. */
function checkFences(part: string): void {
  expect(part.match(/```/g)?.length ?? 0, part).toSatisfy((count: number) => count % 2 === 0);
}

describe('Markdown for Discord', () => {
  it('keeps all text within the limit and sends nothing empty, over random texts', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        const parts = discordMarkdown(text);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(DISCORD_LIMIT);
          expect(part.trim()).not.toBe('');
          expect(part.isWellFormed()).toBe(true);
          checkFences(part);
        }
        const [wanted, shown] = [lettersOf(text.toWellFormed()), lettersOf(parts.join(''))];
        expect(isWithin(wanted, shown)).toBe(true);
        expect(shown.length).toBeLessThanOrEqual(wanted.length + 40 * parts.length);
      }),
      { numRuns: RUNS },
    );
  });

  it('leaves what Discord understands as it is, and converts what it does not', () => {
    const plain = '# Hi\n**a** *b* ~~c~~ `d` [e](https://x.example)\n> quote\n- item';
    expect(discordMarkdown(plain)).toEqual([plain]);
    expect(discordMarkdown('##### Deep\n__bold__ ![cat](https://x.example/c.png) `__raw__`')).toEqual([
      '**Deep**\n**bold** [cat](https://x.example/c.png) `__raw__`',
    ]);
    expect(discordMarkdown('see:\n| a | b |\n|---|---|\n| 1 | 2 |\nend')).toEqual([
      'see:\n```\n| a | b |\n|---|---|\n| 1 | 2 |\n```\nend',
    ]);
  });

  it('re-opens a code fence in the next part', () => {
    const parts = discordMarkdown(`\`\`\`ts\n${'const x = 1;\n'.repeat(1_000)}\`\`\``);
    expect(parts.length).toBeGreaterThan(6);
    for (const part of parts) expect(part).toMatch(/^```ts\n[^`]*\n```$/);
  });

  it('keeps fences inside fences as text', () => {
    const [part, ...rest] = discordMarkdown('````md\nbefore\n```ts\nx\n```\nafter\n````\nend');
    expect(rest).toEqual([]);
    expect(part?.replaceAll('\u200b', '')).toBe('```md\nbefore\n```ts\nx\n```\nafter\n```\nend');
    expect(part?.match(/```/g)).toHaveLength(2);
  });

  it('splits at a paragraph when one is near', () => {
    const paragraph = 'word '.repeat(250).trim();
    expect(discordMarkdown(`${paragraph}\n\n${paragraph}`)).toEqual([paragraph, paragraph]);
  });

  it('splits 100,000 characters without a space, and gives nothing for blank text', () => {
    const parts = discordMarkdown('👩‍👩‍👧'.repeat(12_500));
    expect(parts.join('')).toBe('👩‍👩‍👧'.repeat(12_500));
    for (const part of parts) expect(part).toMatch(/^👩.*👧$/u);
    expect(discordMarkdown(' \n\t\n\u200b')).toEqual([]);
    expect(discordMarkdown(`${'שלום עולם '.repeat(1_000)}`).join('')).toBe('שלום עולם '.repeat(1_000).trimEnd() + ' ');
  });
});
