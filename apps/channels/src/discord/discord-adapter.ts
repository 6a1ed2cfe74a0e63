import { secret } from '#lib/config';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type {
  BotCredentials,
  ChannelAdapter,
  Connection,
  ConnectionEvents,
  InboundFile,
  OutboundFile,
  SendKey,
} from '../adapters/channel-adapter.js';
import { botOf } from '../adapters/platform.js';
import { discordMarkdown } from './discord-markdown.js';

export const discordEnvironment = {
  DISCORD_API_BASE_URL: z.url().default('https://discord.com/api'),
  /** The platform's shared bot, for agents without one of their own. */
  DISCORD_BOT_TOKEN: secret(z.string()).optional(),
};
export type DiscordSettings = z.output<z.ZodObject<typeof discordEnvironment>>;

/** Discord, by its gateway. A place is `<channel>` for direct messages, `<server>/<channel>` elsewhere. */
export class DiscordAdapter implements ChannelAdapter {
  readonly platform = 'discord';
  /** By `nonce` and `enforce_nonce`, for "the past few minutes". */
  readonly isIdempotent = true;
  readonly editEveryMs = 1_200;
  /** What people may send depends on what they pay; larger files are refused with an answer. */
  readonly maxInboundBytes = 50 * 1024 ** 2;
  /** https://docs.discord.com/developers/reference#uploading-files */
  readonly maxOutboundBytes = 10 * 1024 ** 2;
  readonly commandMark = '/';
  readonly hasReplies = true;
  readonly sharedBot: BotCredentials | undefined;

  constructor(private readonly settings: DiscordSettings) {
    this.sharedBot = botOf(settings.DISCORD_BOT_TOKEN);
  }

  /** A token begins with the bot's id in base64. */
  botIdOf({ token }: BotCredentials): string | undefined {
    const id = Buffer.from(/^([\w-]+)\.[\w-]+\.[\w-]+$/.exec(token)?.[1] ?? '', 'base64url').toString();
    return /^\d{1,20}$/.test(id) ? id : undefined;
  }

  chatOf(place: string): string {
    return place;
  }

  isGroup(place: string): boolean {
    return place.includes('/');
  }

  linkInstructions(code: string): string {
    return `Send "/link ${code}" to the agent's bot on Discord, in a direct message, within 10 minutes.`;
  }

  format(markdown: string): string[] {
    return discordMarkdown(markdown);
  }

  connect({ token }: BotCredentials, events: ConnectionEvents): Connection {
    const { DISCORD_API_BASE_URL: apiUrl } = this.settings;
    return new LazyConnection(
      import('./discord-connection.js').then(({ DiscordConnection }) => new DiscordConnection(apiUrl, token, events)),
    );
  }
}

/** A connection whose code is still being loaded: a service without bots of this platform pays nothing for its SDK. */
class LazyConnection implements Connection {
  constructor(private readonly loading: Promise<Required<Pick<Connection, 'answer'>> & Connection>) {}

  async send(place: string, part: string, key: SendKey): Promise<string> {
    return (await this.loading).send(place, part, key);
  }

  async edit(...[place, messageId, part, isPlain, isCard]: Parameters<Connection['edit']>): Promise<void> {
    await (await this.loading).edit(place, messageId, part, isPlain, isCard);
  }

  async sendFile(place: string, file: OutboundFile, key: SendKey): Promise<string> {
    return (await this.loading).sendFile(place, file, key);
  }

  async withoutThread(place: string): Promise<string | undefined> {
    return (await this.loading).withoutThread?.(place);
  }

  async download(file: InboundFile): Promise<Readable> {
    return (await this.loading).download(file);
  }

  async answer(answerTo: string, part: string): Promise<void> {
    await (await this.loading).answer(answerTo, part);
  }

  async showTyping(place: string): Promise<void> {
    await (await this.loading).showTyping(place);
  }

  async close(): Promise<void> {
    await (await this.loading).close();
  }
}
