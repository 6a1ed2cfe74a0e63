import type { Platform } from '../adapters/platform.js';
import { TelegramAdapter } from './telegram-adapter.js';
import { telegramEnvironment } from './telegram-environment.js';

export const platform: Platform<typeof telegramEnvironment> = {
  environment: telegramEnvironment,
  adapter: (settings) => new TelegramAdapter(settings),
};
