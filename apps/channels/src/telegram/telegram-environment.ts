import { secret } from '#lib/config';
import { z } from 'zod';

export const telegramEnvironment = {
  TELEGRAM_API_BASE_URL: z.url().default('https://api.telegram.org'),
  /** `auto`: by webhook when PUBLIC_URL is https, else by polling. */
  TELEGRAM_UPDATES: z.enum(['auto', 'polling', 'webhook']).default('auto'),
  /** The platform's shared bot, for agents without one of their own. */
  TELEGRAM_BOT_TOKEN: secret(z.string()).optional(),
};
export type TelegramSettings = z.output<z.ZodObject<typeof telegramEnvironment>>;
