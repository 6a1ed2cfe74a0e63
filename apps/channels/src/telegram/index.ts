import type { Platform } from '../adapters/platform.js';
import { TelegramAdapter, telegramEnvironment } from './telegram-adapter.js';

export const platform: Platform<typeof telegramEnvironment> = {
  environment: telegramEnvironment,
  adapter: (settings) => new TelegramAdapter(settings),
};
