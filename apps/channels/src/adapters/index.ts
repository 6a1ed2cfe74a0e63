import type { ChannelAdapter } from './channel-adapter.js';
import { TelegramAdapter } from '../telegram/telegram-adapter.js';

export interface PlatformAddresses {
  TELEGRAM_API_BASE_URL: string;
}

/** Every chat platform, one line each. */
export function createAdapters(addresses: PlatformAddresses): ChannelAdapter[] {
  return [new TelegramAdapter(addresses.TELEGRAM_API_BASE_URL)];
}
