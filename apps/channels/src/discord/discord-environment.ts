import { secret } from '#lib/config';
import { z } from 'zod';

export const discordEnvironment = {
  DISCORD_API_BASE_URL: z.url().default('https://discord.com/api'),
  /** The platform's shared bot, for agents without one of their own. */
  DISCORD_BOT_TOKEN: secret(z.string()).optional(),
};
export type DiscordSettings = z.output<z.ZodObject<typeof discordEnvironment>>;
