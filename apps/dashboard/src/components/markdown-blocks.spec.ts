import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markdownBlocks } from './markdown-blocks.js';
import { visibleText } from './visible-text.js';

describe('blocks of Markdown that is being written', () => {
  it('are cut at empty lines, and not within code', () => {
    expect(markdownBlocks('a\nb\n\n```ts\nx\n\ny\n```\n\nc')).toEqual(['a\nb', '```ts\nx\n\ny\n```', 'c']);
  });

  it('stay as they are while more is written, but for the last', () => {
    const line = fc.constantFrom('', 'text', '```', '~~~~', '- item', '# title', '    code');
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, after) => {
        const [first, both] = [before.join('\n'), [...before, ...after].join('\n')];
        const settled = markdownBlocks(first).slice(0, -1);
        expect(markdownBlocks(both).slice(0, settled.length)).toEqual(settled);
      }),
    );
  });
});

describe('names that others chose', () => {
  it('show the marks by which a text is read for another', () => {
    expect(visibleText('invoice\u202etxt.exe')).toBe('invoice[U+202E]txt.exe');
    expect(visibleText('a\u0000b\u200bc\ttab')).toBe('a[U+0000]b[U+200B]c\ttab');
    expect(visibleText('naïve 日本 עברית 👩‍🚀')).toBe('naïve 日本 עברית 👩‍🚀');
  });
});
