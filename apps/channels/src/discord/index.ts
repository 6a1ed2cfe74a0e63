import type { Platform } from '../adapters/platform.js';
import { DiscordAdapter } from './discord-adapter.js';
import { discordEnvironment } from './discord-environment.js';

export const platform: Platform<typeof discordEnvironment> = {
  environment: discordEnvironment,
  adapter: (settings) => new DiscordAdapter(settings),
};
