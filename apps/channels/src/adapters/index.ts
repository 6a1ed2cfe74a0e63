import type { Config } from '../config.js';
import { DiscordAdapter } from '../discord/discord-adapter.js';
import { SlackAdapter } from '../slack/slack-adapter.js';
import { TelegramAdapter } from '../telegram/telegram-adapter.js';
import type { ChannelAdapter } from './channel-adapter.js';

/** Every chat platform, one line each. */
export function createAdapters(config: Config): ChannelAdapter[] {
  return [new DiscordAdapter(config), new SlackAdapter(config), new TelegramAdapter(config)];
}
