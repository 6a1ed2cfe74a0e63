import { processorMs } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { DeliveryError } from '../adapters/delivery-error.js';
import { discordMarkdown } from '../discord/discord-markdown.js';
import { slackMrkdwn } from '../slack/slack-mrkdwn.js';
import { telegramHtml } from '../telegram/telegram-html.js';
import { attachedFiles } from './attached-files.js';

/** What an agent may say in one reply. */
const CHARS = 100_000;
/** Linear takes milliseconds; what is quadratic takes many seconds and grows. Generous, for a busy machine. */
const MAX_MS = 1_500;

/** Each repeated to a reply's length, between a beginning and an end that let a pattern nearly match. */
const replies: [begin: string, unit: string, end: string][] = [
  ...[
    '*',
    '**a',
    '*a',
    '_a',
    '__a ',
    '~~a',
    '`',
    '`a',
    '[',
    '[a](',
    '[a](http://',
    '![',
    '![a](',
    '<',
    '<b',
    '&',
    '"',
  ].map((unit): [string, string, string] => ['', unit, '']),
  ['#### ', ' #', 'x\u200b'],
  ['#### ', ' ', '#x'],
  ['# ', ' ', '\u2028'],
  ['| a |\n', '|-', 'x'],
  ['| a |\n', ' - ', 'x'],
  ['| a |\n', '| - ', 'x'],
  ['| a |\n', ' ', 'x'],
  ['| a |\n', '-', 'x'],
  ['```', 'a', '`'],
  ['```', ' ', '`'],
  ['```', '~', '`'],
  ['', '```a\n', ''],
  ['', '~~~a\n', ''],
  ['', '\n', 'x'],
  ['', '[](/workspace/', ''],
  ['', '[](', ''],
  ['[](', ' ', 'x'],
  ['[](/workspace/', ' ', 'x'],
  ['', '😀', ''],
  ['', 'e\u0301', ''],
  ['', '\u200d', ''],
];

const converters: [string, (text: string) => unknown][] = [
  ['Discord', discordMarkdown],
  ['Telegram', telegramHtml],
  ['Slack', slackMrkdwn],
  ['attached files', attachedFiles],
];

describe('a reply made to be costly', () => {
  it.each(converters)('takes linear time: %s', (_, convert) => {
    const slow = replies.flatMap(([begin, unit, end]) => {
      const reply = begin + unit.repeat(CHARS / unit.length) + end;
      const tookMs = processorMs(() => convert(reply));
      return tookMs > MAX_MS ? [`${JSON.stringify([begin, unit, end])}: ${tookMs} ms`] : [];
    });
    expect(slow).toEqual([]);
  });

  it.each(['a', '-', 'a-', '1', '1:', 'xoxb-', 'a.', `${'a'.repeat(20)}.aaaaaa.`])(
    "masks a platform's error in linear time: %s",
    (unit) => {
      const tookMs = processorMs(() =>
        expect(new DeliveryError('failed', unit.repeat(CHARS / unit.length)).message.length).toBeLessThanOrEqual(500),
      );
      expect(tookMs).toBeLessThan(MAX_MS);
    },
  );
});
