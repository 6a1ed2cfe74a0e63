import { secret } from '#lib/config';
import { z } from 'zod';
import { createHmac } from 'node:crypto';
import type { BotCredentials, ChannelAdapter, Connection, ConnectionEvents } from '../adapters/channel-adapter.js';
import { botOf, type Surroundings } from '../adapters/platform.js';
import { TelegramConnection, type TelegramWebhook } from './telegram-connection.js';
import { telegramHtml } from './telegram-html.js';

export const telegramEnvironment = {
  TELEGRAM_API_BASE_URL: z.url().default('https://api.telegram.org'),
  /** `auto`: by webhook when PUBLIC_URL is https, else by polling. */
  TELEGRAM_UPDATES: z.enum(['auto', 'polling', 'webhook']).default('auto'),
  /** The platform's shared bot, for agents without one of their own. */
  TELEGRAM_BOT_TOKEN: secret(z.string()).optional(),
};
export type TelegramSettings = z.output<z.ZodObject<typeof telegramEnvironment>>;

/** Telegram's Bot API, by long polling or webhook. A place is `<chat>` or `<chat>/<topic>`. */
export class TelegramAdapter implements ChannelAdapter {
  readonly platform = 'telegram';
  /** The Bot API has no key that a repeated send could carry. */
  readonly isIdempotent = false;
  readonly editEveryMs = 1_000;
  /** https://core.telegram.org/bots/api#getfile and #sending-files */
  readonly maxInboundBytes = 20 * 1024 ** 2;
  readonly maxOutboundBytes = 50 * 1024 ** 2;
  readonly commandMark = '/';
  readonly hasReplies = true;
  readonly sharedBot: BotCredentials | undefined;

  constructor(private readonly settings: TelegramSettings & Surroundings) {
    this.sharedBot = botOf(settings.TELEGRAM_BOT_TOKEN);
  }

  botIdOf({ token }: BotCredentials): string | undefined {
    return /^(\d{1,20}):[\w-]{5,}$/.exec(token)?.[1];
  }

  chatOf(place: string): string {
    return place.split('/')[0] ?? place;
  }

  isGroup(place: string): boolean {
    return place.startsWith('-');
  }

  linkInstructions(code: string): string {
    return `Send "/link ${code}" to the agent's bot on Telegram within 10 minutes.`;
  }

  format(markdown: string): string[] {
    return telegramHtml(markdown);
  }

  connect({ token }: BotCredentials, events: ConnectionEvents): Connection {
    return new TelegramConnection(this.settings.TELEGRAM_API_BASE_URL, token, events, this.webhookOf(token));
  }

  private webhookOf(token: string): TelegramWebhook | undefined {
    const { PUBLIC_URL: publicUrl, TELEGRAM_UPDATES: mode } = this.settings;
    const isWanted = mode === 'webhook' || (mode === 'auto' && publicUrl?.startsWith('https:'));
    const botId = this.botIdOf({ token });
    if (!isWanted || publicUrl === undefined || botId === undefined) return undefined;
    return {
      url: `${publicUrl.replace(/\/$/, '')}/v1/channels/telegram/${botId}/webhook`,
      // Known to every replica that knows the token, to nobody else, and changed with it.
      secret_token: createHmac('sha256', token).update('roost telegram webhook').digest('hex'),
    };
  }
}
