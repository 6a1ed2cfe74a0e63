import { z } from 'zod';
import { clearable, optional } from './shapes.js';
import { wire } from './wire.js';

const BotToken = z.string().min(1).max(200).describe('The token of a bot.');

/** A token as its platform gives them out: what was cut or mixed up with another is refused when it is set. */
const tokenLike = (form: RegExp, example: string, where: string) =>
  BotToken.regex(form, `is no such token: it looks like ${example} (${where})`).meta({
    description: `The bot’s token (${where}). Sealed and never returned.`,
    examples: [example],
  });

/** The bot's id, and 35 characters: https://core.telegram.org/bots/api#authorizing-your-bot */
const telegramToken = tokenLike(
  /^\d{1,20}:[\w-]{30,64}$/,
  '123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11',
  'from @BotFather',
);
/** The bot's id in base64, a time, a signature: https://docs.discord.com/developers/reference#authentication */
const discordToken = tokenLike(
  /^[\w-]{18,40}\.[\w-]{5,10}\.[\w-]{25,110}$/,
  'MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs',
  'Bot, Reset Token in the developer portal',
);
/** https://docs.slack.dev/authentication/tokens */
const slackBotToken = tokenLike(/^(xoxe\.)?xoxb-[\w-]{10,190}$/, 'xoxb-1234-5678-abcdef', 'OAuth & Permissions');
const slackAppToken = tokenLike(
  /^xapp-[\w-]{8,190}$/,
  'xapp-1-A0123-456-abcdef',
  'Basic Information, App-Level Tokens',
);

const slackBot = (botToken: typeof BotToken, appToken: typeof BotToken) =>
  wire({
    botToken,
    signingSecret: BotToken.describe('The app’s signing secret (Basic Information).'),
    appToken: appToken
      .optional()
      .describe(
        'With it the bot connects by Socket Mode; without it Slack posts events to `/v1/channels/slack/{agent_id}/events`.',
      ),
  }).describe('The agent’s own Slack app. Sealed and never returned.');
export const SlackBot = slackBot(BotToken, BotToken);

/**
 * The chat platforms, a line each: the name is its folder in apps/channels/src and its value in the API. `bot` is what
 * an agent's own bot signs in with (its field `<name>_bot_token`): a token, or an object with `botToken` and more.
 * `person` names what a binding shows of who is linked (`<name>_user_id` …).
 */
export const PLATFORMS = {
  discord: { bot: BotToken, person: ['userId', 'username'] },
  slack: { bot: SlackBot, person: ['userId', 'username', 'teamId'] },
  telegram: { bot: BotToken, person: ['userId', 'username', 'chatId'] },
} as const satisfies Record<string, { bot: z.ZodType; person: readonly (keyof typeof personSchemas)[] }>;

const personSchemas = {
  userId: z.string().optional().describe('Who is linked: the platform’s id of the person.'),
  username: z.string().nullable().optional().describe('Their name there, where it is known.'),
  teamId: z.string().nullable().optional().describe('The Slack workspace, where it is known.'),
  chatId: z.string().optional().describe('The chat in which the code was sent.'),
};
type PersonSchemas = typeof personSchemas;
type Platforms = typeof PLATFORMS;

// Object.keys forgets what the keys are.
export const PLATFORM_NAMES = Object.keys(PLATFORMS) as (keyof Platforms)[];

/** Chat platforms a person can be linked on. */
export const ChatPlatform = z.enum(PLATFORM_NAMES).meta({ id: 'ChatPlatform', description: 'A chat platform.' });
export type ChatPlatform = z.output<typeof ChatPlatform>;

/** One field per platform: `discordBotToken` and so on for `BotToken`. */
export function perPlatform<Suffix extends string, T>(suffix: Suffix, valueOf: (platform: ChatPlatform) => T) {
  const entries = PLATFORM_NAMES.map((platform) => [`${platform}${suffix}`, valueOf(platform)]);
  return Object.fromEntries(entries) as { [P in ChatPlatform as `${P}${Suffix}`]: T };
}

type BotFields = { [P in ChatPlatform as `${P}BotToken`]: Platforms[P]['bot'] };
const botFields = perPlatform('BotToken', (platform) => PLATFORMS[platform].bot) as BotFields;
/** An agent's own bots, where it has any. */
export const ownBotFields = optional(botFields);
/** As users set them. What was stored before a form was required is read by the fields above. */
const newBotFields: BotFields = {
  ...botFields,
  discordBotToken: discordToken,
  slackBotToken: slackBot(slackBotToken, slackAppToken),
  telegramBotToken: telegramToken,
};
/** In a change of an agent: null takes one away. */
export const ownBotChanges = optional(clearable(newBotFields));
export type OwnBots = z.output<z.ZodObject<typeof ownBotFields>>;
export type OwnBot = z.output<Platforms[ChatPlatform]['bot']>;

type PersonKey = { [P in ChatPlatform]: `${P}${Capitalize<Platforms[P]['person'][number]>}` }[ChatPlatform];
type PersonFields = {
  [K in PersonKey]: K extends `${ChatPlatform}${infer F}`
    ? Uncapitalize<F> extends keyof PersonSchemas
      ? PersonSchemas[Uncapitalize<F>]
      : never
    : never;
};

/** What a binding shows of a person: of every platform, all of them optional. */
export const personFields = Object.fromEntries(
  PLATFORM_NAMES.flatMap((platform) =>
    PLATFORMS[platform].person.map((field) => [personField(platform, field), personSchemas[field]]),
  ),
) as unknown as PersonFields;

/** `telegramChatId` for Telegram's `chatId`. */
export function personField(platform: ChatPlatform, field: keyof PersonSchemas): string {
  return platform + field.charAt(0).toUpperCase() + field.slice(1);
}
