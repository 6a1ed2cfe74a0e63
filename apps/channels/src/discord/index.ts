import type { Platform } from '../adapters/platform.js';
import { DiscordAdapter, discordEnvironment } from './discord-adapter.js';

export const platform: Platform<typeof discordEnvironment> = {
  environment: discordEnvironment,
  adapter: (settings) => new DiscordAdapter(settings),
};
