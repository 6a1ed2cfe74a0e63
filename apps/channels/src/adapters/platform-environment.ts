import { discordEnvironment } from '../discord/discord-environment.js';
import { telegramEnvironment } from '../telegram/telegram-environment.js';

/** What the platforms read from the environment. */
export const platformEnvironment = { ...discordEnvironment, ...telegramEnvironment };
