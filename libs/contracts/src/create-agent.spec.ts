import { describe, expect, it } from 'vitest';
import { BalanceChange, CreateAgent, UpdateAgent } from './agents.js';

const accepts = (body: object) => CreateAgent.safeParse({ name: 'a', ...body }).success;
const FAMILY = '👨‍👩‍👧‍👦';
const COMBINED = 'e\u0301';

describe('the body of create', () => {
  it.each([
    ['', false],
    ['a', true],
    ['a'.repeat(100), true],
    ['a'.repeat(101), false],
    [FAMILY.repeat(100), true],
    [FAMILY.repeat(101), false],
    [COMBINED.repeat(100), true],
    [COMBINED.repeat(101), false],
  ])('counts the characters of a name as its reader does (%#)', (name, isFine) => {
    expect(accepts({ name })).toBe(isFine);
    expect(UpdateAgent.safeParse({ name }).success).toBe(isFine);
  });

  it.each([
    ['description', 500],
    ['system_prompt', 100_000],
  ])('takes a %s of %i characters and none longer', (field, max) => {
    expect(accepts({ [field]: 'x'.repeat(max) })).toBe(true);
    expect(accepts({ [field]: 'x'.repeat(max + 1) })).toBe(false);
  });

  const discord = 'MTE4NjIyNDgzNDcxOTI1MjQ4MA.GhT2kQ.v1XVW7vRze4b7Cq4se7kKWsZnCjm1XVW7vRze4';
  const telegram = '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw';
  const slack = { bot_token: 'xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy', signing_secret: 's' };
  it.each<[string, unknown, boolean]>([
    ['discord_bot_token', discord, true],
    ['discord_bot_token', `Bot ${discord}`, false],
    ['discord_bot_token', telegram, false],
    ['discord_bot_token', discord.slice(0, 40), false],
    ['discord_bot_token', `${discord}\n`, false],
    ['telegram_bot_token', telegram, true],
    ['telegram_bot_token', `bot${telegram}`, false],
    ['telegram_bot_token', telegram.slice(10), false],
    ['telegram_bot_token', telegram.slice(0, 30), false],
    ['telegram_bot_token', ` ${telegram}`, false],
    ['telegram_bot_token', discord, false],
    ['slack_bot_token', slack, true],
    ['slack_bot_token', { ...slack, app_token: 'xapp-1-A0123-456-abcdef' }, true],
    ['slack_bot_token', { ...slack, bot_token: 'xoxp-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy' }, false],
    ['slack_bot_token', { ...slack, app_token: slack.bot_token }, false],
    ['slack_bot_token', { ...slack, bot_token: telegram }, false],
  ])('takes a token only as its platform gives them out: %s %j', (field, token, isFine) => {
    for (const schema of [CreateAgent, UpdateAgent]) {
      const parsed = schema.safeParse({ name: 'a', [field]: token });
      expect(parsed.success).toBe(isFine);
      if (!isFine) {
        expect(parsed.error?.issues[0]?.path[0]).toBe(field);
        expect(parsed.error?.issues[0]?.message).not.toContain(JSON.stringify(token).slice(1, -1));
      }
    }
  });

  it.each([
    ['channel_message_received', '{{content}}'.repeat(200), true],
    ['channel_message_received', '{{content}}'.repeat(201), false],
    ['unread_message_reminder', '{{count}}'.repeat(201), false],
    ['session_start', `{{${' '.repeat(9_998)}`, true],
  ])('takes a hook %s of a bounded number of placeholders (%#)', (hook, template, isFine) => {
    const configuration = { hook_messages: { [hook]: template } };
    const parsed = CreateAgent.safeParse({ name: 'a', configuration });
    expect(parsed.success).toBe(isFine);
    expect(parsed.error?.issues.map(({ path }) => path.at(-1)) ?? []).toEqual(isFine ? [] : [hook]);
  });

  it.each([
    ['1.5Gi', true],
    ['500Mi', true],
    ['-1', false],
    ['1TB', false],
    ['', false],
    [' 1Gi', false],
    ['1e3Gi', false],
  ])('takes a quantity of %j: %s', (pvc_size, isFine) => expect(accepts({ pvc_size })).toBe(isFine));

  it.each([
    'name',
    'pvc_size',
    'output_token_balance',
    'system_prompt_type',
    'session_mode',
    'configuration',
    'initial_files',
  ])('takes no null for %s', (field) => expect(accepts({ [field]: null })).toBe(false));

  it.each([
    ['warmth_window_ms', 299_999, false],
    ['warmth_window_ms', 300_000, true],
    ['warmth_window_ms', null, true],
    ['output_token_balance', -1, false],
    ['output_token_balance', 0, true],
    ['output_token_balance', 1.5, false],
    ['output_token_balance', Number.MAX_SAFE_INTEGER, true],
    ['output_token_balance', Number.MAX_SAFE_INTEGER + 1, false],
    ['output_token_balance', '5', false],
  ])('%s of %s: %s', (field, value, isFine) => expect(accepts({ [field]: value })).toBe(isFine));

  it.each([
    ['timeout_seconds', 0, false],
    ['timeout_seconds', 86_400, true],
    ['timeout_seconds', 86_401, false],
    ['unread_reminder_interval_ms', 9_999, false],
    ['unread_reminder_interval_ms', 3_600_000, true],
    ['compaction', { threshold_trigger: 49_999 }, false],
    ['compaction', { threshold_trigger: 180_000 }, true],
    ['compaction', { instructions: 'x'.repeat(2_001) }, false],
    ['custom_env', { lower: 'x' }, false],
    ['custom_env', Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`V${n}`, ''])), false],
  ])('configuration.%s of %j: %s', (field, value, isFine) =>
    expect(accepts({ configuration: { [field]: value } })).toBe(isFine),
  );

  it('names an unknown field, also one deep inside', () => {
    for (const body of [
      { nmae: 'x' },
      { configuration: { modle: 'x' } },
      { configuration: { network: { mode: 'none', x: 1 } } },
    ])
      expect(accepts(body), JSON.stringify(body)).toBe(false);
  });
});

describe('a change of the balance', () => {
  it.each([
    [{ delta: Number.MAX_SAFE_INTEGER + 1 }, false],
    [{ delta: 0.5 }, false],
    [{ delta: -5 }, true],
    [{ output_token_balance: -1 }, false],
    [{}, false],
    [{ delta: 1, output_token_balance: 1 }, false],
  ])('%j: %s', (body, isFine) => expect(BalanceChange.safeParse(body).success).toBe(isFine));
});
