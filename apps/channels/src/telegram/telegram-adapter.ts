import type { ChannelAdapter, Connection, ConnectionState, InboundMessage } from '../adapters/channel-adapter.js';
import { TelegramConnection } from './telegram-connection.js';
import { telegramHtml } from './telegram-html.js';

/** Telegram's Bot API, by long polling. A place is `<chat>` or `<chat>/<topic>`. */
export class TelegramAdapter implements ChannelAdapter {
  readonly platform = 'telegram';

  constructor(private readonly apiRoot: string) {}

  botIdOf(token: string): string | undefined {
    return /^(\d{1,20}):[\w-]{5,}$/.exec(token)?.[1];
  }

  isGroup(place: string): boolean {
    return place.startsWith('-');
  }

  format(markdown: string): string[] {
    return telegramHtml(markdown);
  }

  connect(
    token: string,
    onMessage: (message: InboundMessage) => Promise<void>,
    onState: (state: ConnectionState) => void,
  ): Connection {
    return new TelegramConnection(this.apiRoot, token, onMessage, onState);
  }
}
