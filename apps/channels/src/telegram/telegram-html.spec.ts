import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lettersOf, markdown, RUNS } from '../../test/random-markdown.js';
import { TELEGRAM_LIMIT, telegramHtml, visible } from './telegram-html.js';

/** Throws for what Telegram refuses: a tag that is unknown, not closed or closed in another order, a bare < or &. */
function checkHtml(html: string): void {
  const stack: string[] = [];
  const rest = html.replace(
    /<(\/?)(b|i|s|a|pre|code)( href="[^"<>]*"| class="language-[\w+#.-]+")?>/g,
    (_, end, tag) => {
      if (!end) stack.push(String(tag));
      else expect(stack.pop()).toBe(tag);
      return '';
    },
  );
  expect(stack).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(lt|gt|amp|quot);)/);
}

describe('Markdown for Telegram', () => {
  it('keeps all text within the limit and never yields what Telegram refuses, over random texts', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        const parts = telegramHtml(text);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(TELEGRAM_LIMIT);
          expect(visible(part).trim()).not.toBe('');
          checkHtml(part);
        }
        expect(lettersOf(parts.map(visible).join(''))).toBe(lettersOf(text.toWellFormed()));
      }),
      { numRuns: RUNS },
    );
  });

  it('converts emphasis, code, links and headings', () => {
    expect(telegramHtml('# Hi\n**a** *b* ~~c~~ `d<e` [f](https://x.example/?a=1&b)')).toEqual([
      '<b>Hi</b>\n<b>a</b> <i>b</i> <s>c</s> <code>d&lt;e</code> <a href="https://x.example/?a=1&amp;b">f</a>',
    ]);
  });

  it('shows tables as code', () => {
    expect(telegramHtml('see:\n| a | b |\n|---|---|\n| 1 | <2> |\nend')).toEqual([
      'see:\n<pre><code>| a | b |\n|---|---|\n| 1 | &lt;2&gt; |</code></pre>\nend',
    ]);
  });

  it('re-opens a code fence in the next part', () => {
    const parts = telegramHtml(`\`\`\`ts\n${'const x = 1;\n'.repeat(1_000)}\`\`\``);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect(part).toMatch(/^<pre><code class="language-ts">[^<]*<\/code><\/pre>$/);
  });

  it('splits at a paragraph when one is near', () => {
    const paragraph = 'word '.repeat(500).trim();
    expect(telegramHtml(`${paragraph}\n\n${paragraph}`)).toEqual([paragraph, paragraph]);
  });

  it('splits 100,000 characters without a space, and gives nothing for blank text', () => {
    expect(telegramHtml('🎉'.repeat(50_000)).map(visible).join('').replaceAll('\n', '')).toBe('🎉'.repeat(50_000));
    expect(telegramHtml(' \n\t\n')).toEqual([]);
  });
});
