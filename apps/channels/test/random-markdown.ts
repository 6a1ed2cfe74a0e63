import fc from 'fast-check';

/** The whole measure is 5,000 texts: `ROOST_FULL=1`. */
export const RUNS = process.env['ROOST_FULL'] ? 5_000 : 400;

/** What must survive: letters and digits of any script, in order; marks are punctuation. */
export const lettersOf = (text: string) => text.replace(/[^\p{L}\p{N}\p{Extended_Pictographic}]/gu, '');

const word = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    'שלום',
    'مرحبا',
    '👩‍👩‍👧',
    '<b>',
    '&amp;',
    '"',
    '_',
    '__',
    '*',
    '**',
    '`',
    '~~',
    '[',
    '](',
    '\\',
    '#',
    '|',
  ),
);
const inlineText = fc.array(word, { maxLength: 30 }).map((words) => words.join(' ').replace(/[\r\n]/g, ' '));
const block = fc.oneof(
  inlineText,
  inlineText.map((text) => `**${text}**`),
  inlineText.map((text) => `*a _${text}_ b*`),
  inlineText.map((text) => `## ${text}`),
  inlineText.map((text) => `- \`${text}\``),
  fc.constant(''),
  fc.constant('```'),
  fc.constant('~~~'),
  fc.tuple(inlineText, fc.integer({ min: 1, max: 400 })).map(([text, times]) => text.repeat(times).slice(0, 20_000)),
  fc.array(inlineText, { maxLength: 40 }).map((lines) => `\`\`\`\n${lines.join('\n')}\n\`\`\``),
);
/** Markdown as a model may write it: open fences, stray marks, scripts from right to left, emoji, very long lines. */
export const markdown = fc.array(block, { maxLength: 20 }).map((blocks) => blocks.join('\n'));
