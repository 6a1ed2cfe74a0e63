import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lettersOf, markdown, RUNS } from '../../test/random-markdown.js';
import { SLACK_LIMIT, slackMrkdwn, visibleInSlack } from './slack-mrkdwn.js';

/** What Slack would read as a mention, or as the begin of something else than a link with a label. */
function checkMrkdwn(part: string): void {
  const rest = part.replace(/<https?:\/\/[^<>|\s]+\|[^<>]*>/g, '');
  expect(rest).not.toMatch(/[<>]/);
  expect(rest).not.toMatch(/&(?!(lt|gt|amp);)/);
  expect(part.match(/^```$/gm)?.length ?? 0).toSatisfy((fences: number) => fences % 2 === 0);
}

describe('Markdown for Slack', () => {
  it('keeps all text within the limit and never yields what Slack refuses, over random texts', () => {
    fc.assert(
      fc.property(markdown, (text) => {
        const parts = slackMrkdwn(text);
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(SLACK_LIMIT);
          expect(visibleInSlack(part).trim()).not.toBe('');
          checkMrkdwn(part);
        }
        expect(lettersOf(parts.map(visibleInSlack).join(''))).toBe(lettersOf(text.toWellFormed()));
      }),
      { numRuns: RUNS },
    );
  });

  it('converts emphasis, code, links and headings', () => {
    expect(slackMrkdwn('# Hi\n**a** *b* ~~c~~ `d<e` [f](https://x.example/?a=1&b)')).toEqual([
      '*Hi*\n*a* _b_ ~c~ `d&lt;e` <https://x.example/?a=1&amp;b|f>',
    ]);
  });

  it('shows tables as code, and keeps words behind the language of a fence', () => {
    expect(slackMrkdwn('see:\n| a | b |\n|---|---|\n| 1 | **2** |\nend')).toEqual([
      'see:\n```\n| a | b |\n|---|---|\n| 1 | **2** |\n```\nend',
    ]);
    expect(slackMrkdwn('```ts title.ts\nx\n```')).toEqual(['```\ntitle.ts\nx\n```']);
  });

  it('mentions nobody, whatever the text says', () => {
    expect(slackMrkdwn('<!channel> <@U1> <https://x.example|y>')).toEqual([
      '&lt;!channel&gt; &lt;@U1&gt; &lt;https://x.example|y&gt;',
    ]);
  });

  it('closes and re-opens code, and keeps three backticks inside it from ending it', () => {
    const parts = slackMrkdwn(`~~~\n${'const x = 1;\n'.repeat(800)}\`\`\`\n~~~`);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(part).toMatch(/^```\n[\s\S]*\n```$/);
    for (const part of parts) expect(part.slice(3, -3)).not.toContain('```');
  });

  it('shows three backticks that are code', () => {
    const [part = '', ...rest] = slackMrkdwn('~~~\n```\n```');
    expect(rest).toEqual([]);
    expect(visibleInSlack(part).match(/```/g)).toHaveLength(2);
  });

  it('splits 100,000 characters without a space, and gives nothing for blank text', () => {
    expect(slackMrkdwn('🎉'.repeat(50_000)).join('').replaceAll('\n', '')).toBe('🎉'.repeat(50_000));
    expect(slackMrkdwn(' \n\t\n')).toEqual([]);
  });
});
