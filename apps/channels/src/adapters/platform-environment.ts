import { discordEnvironment } from '../discord/discord-environment.js';
import { slackEnvironment } from '../slack/slack-environment.js';
import { telegramEnvironment } from '../telegram/telegram-environment.js';

/** What the platforms read from the environment. */
export const platformEnvironment = { ...discordEnvironment, ...slackEnvironment, ...telegramEnvironment };
