import { DiscordAPIError } from '@discordjs/rest';
import { WebAPIPlatformError } from '@slack/web-api';
import { expect, it } from 'vitest';
import { deliveryErrorOf as ofDiscord } from '../discord/discord-outcome.js';
import { deliveryErrorOf as ofSlack } from '../slack/slack-outcome.js';

const slackSays = (error: string) => ofSlack(new WebAPIPlatformError({ ok: false, error }));
const discordSays = (code: number) =>
  ofDiscord(new DiscordAPIError({ code, message: 'no' }, code, 403, 'POST', 'https://discord.example', {}));

it.each([
  ['restricted_action_thread_locked', 'failed', 'thread'],
  ['restricted_action_non_threadable_channel', 'failed', 'thread'],
  ['restricted_action_read_only_channel', 'failed', 'unreachable'],
  ['edit_window_closed', 'failed', 'message'],
  ['invalid_blocks', 'failed', 'markup'],
  ['message_limit_exceeded', 'retry', undefined],
  ['internal_error', 'uncertain', undefined],
  ['an_error_of_tomorrow', 'failed', undefined],
])('what Slack calls %s is %s, and mended as %s', (error, outcome, kind) => {
  expect(slackSays(error)).toMatchObject({ outcome, refusal: kind && { kind } });
});

it.each([
  [50_007, 'failed', 'unreachable'],
  [50_278, 'failed', 'unreachable'],
  [160_005, 'failed', 'thread'],
  [10_008, 'failed', 'message'],
  [20_028, 'retry', undefined],
  [20_029, 'retry', undefined],
  [130_000, 'retry', undefined],
  [99_999_999, 'failed', undefined],
])('what Discord numbers %s is %s, and mended as %s', (code, outcome, kind) => {
  expect(discordSays(code)).toMatchObject({ outcome, refusal: kind && { kind } });
});
