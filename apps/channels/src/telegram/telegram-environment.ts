import { secret } from '#lib/config';
import { z } from 'zod';

export const telegramEnvironment = {
  TELEGRAM_API_BASE_URL: z.url().default('https://api.telegram.org'),
  /** The platform's shared bot, for agents without one of their own. */
  TELEGRAM_BOT_TOKEN: secret(z.string()).optional(),
};
