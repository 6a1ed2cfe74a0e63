import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.js';
import { Gateway, Intents } from './gateway.js';
import { type Fault, HttpApi } from './http-api.js';
import { type Interaction, Interactions } from './interactions.js';
import { Messages } from './messages.js';
import {
  type BotApplication,
  type Channel,
  type FilePart,
  type Message,
  snowflake,
  type User,
  World,
} from './world.js';

export interface MessageOptions {
  files?: FilePart[];
  replyTo?: Message;
  /** A webhook or an application wrote it. */
  webhookId?: string;
}

/**
 * A Discord on loopback: gateway v10 and HTTP API v10 as the public documentation has them, for unmodified SDKs.
 * Not there: voice, compression, ETF, slash commands of single guilds, permissions beyond who is in a guild or DM.
 */
export class DiscordServer {
  readonly world = new World();
  readonly gateway = new Gateway(this.world);
  readonly messages: Messages;
  readonly interactions: Interactions;
  readonly http: HttpApi;

  private constructor() {
    this.messages = new Messages(this.world, this.gateway, (path) => `${this.origin}/attachments/${path}`);
    this.interactions = new Interactions(this.world, this.gateway, this.messages);
    this.http = new HttpApi(this.world, this.gateway, this.messages, this.interactions);
    this.gateway.attach(this.http.server);
  }

  static async start(): Promise<DiscordServer> {
    const server = new DiscordServer();
    await new Promise<void>((resolve) => server.http.server.listen(0, '127.0.0.1', resolve));
    server.gateway.url = server.origin.replace('http', 'ws');
    return server;
  }

  private get origin(): string {
    return `http://127.0.0.1:${(this.http.server.address() as AddressInfo).port}`;
  }

  /** What SDKs call `rest.api`, without the version. */
  get apiUrl(): string {
    return `${this.origin}/api`;
  }

  /** A bot with the Message Content intent switched on, unless set otherwise. */
  addBot(username: string, privilegedIntents: number = Intents.MessageContent): BotApplication {
    const user = this.world.addUser(username, true);
    const bot: BotApplication = { id: user.id, user, token: tokenOf(user.id), privilegedIntents, commands: [] };
    this.world.bots.set(bot.id, bot);
    return bot;
  }

  /** Resets the token in the developer portal: the old one is refused, and its connections are closed. */
  rotateToken(bot: BotApplication): string {
    bot.token = tokenOf(bot.user.id);
    for (const session of this.gateway.sessionsOf(bot)) session.socket?.close(4_004, 'Authentication failed.');
    this.gateway.forget(bot);
    return bot.token;
  }

  addGuild(name: string, bots: BotApplication[]): { guildId: string; channel: Channel } {
    const guildId = snowflake();
    const owner_id = snowflake();
    this.world.guilds.set(guildId, {
      id: guildId,
      name,
      owner_id,
      bots: new Map(bots.map(({ user }) => [user.id, snowflake()])),
    });
    const channel = this.world.addChannel({ type: 0, name: 'general', guild_id: guildId });
    for (const bot of bots) this.gateway.dispatch(bot, 'GUILD_CREATE', this.gateway.guildOf(guildId));
    return { guildId, channel };
  }

  /** The role that Discord made for a bot when it joined. */
  roleOf(bot: BotApplication, guildId: string): string {
    return this.world.guilds.get(guildId)?.bots.get(bot.user.id) ?? '';
  }

  addUser(username: string): User {
    return this.world.addUser(username);
  }

  /** A person's DM with a bot. */
  dm(bot: BotApplication, user: User): Channel {
    const channel = this.world.dmOf(bot, user.id);
    if (!channel) throw new Error('this user does not exist');
    return channel;
  }

  say(user: User, channel: Channel, content: string, { files = [], replyTo, webhookId }: MessageOptions = {}): Message {
    return this.messages.add({
      author: user,
      channel,
      content,
      files: new Map(files.map((file, index) => [String(index), file])),
      fields: {
        ...(webhookId ? { webhook_id: webhookId } : {}),
        ...(replyTo
          ? {
              type: 19,
              message_reference: { message_id: replyTo.id, channel_id: channel.id },
              referenced_message: replyTo,
            }
          : {}),
      },
    });
  }

  command(
    bot: BotApplication,
    channel: Channel,
    user: User,
    name: string,
    options: Record<string, string> = {},
  ): Interaction {
    return this.interactions.start(bot, channel, user, name, options);
  }

  /** What a reader of the channel sees that the bot wrote. */
  shown(channel: Channel, bot: BotApplication): Message[] {
    return this.messages.inChannel(channel.id).filter(({ author }) => author.id === bot.user.id);
  }

  fileOf(message: Message, index = 0): Buffer | undefined {
    const url = message.attachments[index]?.url;
    return url ? this.world.files.get(new URL(url).pathname.slice('/attachments/'.length))?.data : undefined;
  }

  fault(route: RegExp, what: Fault['what'], times = 1): void {
    this.http.faults.push({ route, what, times });
  }

  /** Cuts a bot's gateway sockets without a close frame; its sessions can be resumed. */
  dropSockets(bot: BotApplication): void {
    for (const { socket } of this.gateway.sessionsOf(bot)) socket?.terminate();
  }

  /** Opcode 7: "You should attempt to reconnect and resume immediately." */
  askReconnect(bot: BotApplication): void {
    for (const { socket } of this.gateway.sessionsOf(bot)) socket?.send(JSON.stringify({ op: 7, d: null }));
  }

  /** Opcode 9, with the session gone. */
  invalidate(bot: BotApplication): void {
    const sessions = this.gateway.sessionsOf(bot);
    this.gateway.forget(bot);
    for (const { socket } of sessions) socket?.send(JSON.stringify({ op: 9, d: false }));
  }

  /** What bots write there is refused, as the platform's list of codes says. */
  refuse(channel: Channel, status: number, code: number, message: string): void {
    this.messages.refusing.set(channel.id, new ApiError(status, code, message));
  }

  /** As when a moderator deletes it. */
  deleteMessage(message: Message): void {
    this.world.messages.delete(message.id);
  }

  deleteChannel(channel: Channel): void {
    this.world.channels.delete(channel.id);
  }

  async stop(): Promise<void> {
    this.gateway.close();
    this.http.server.closeAllConnections();
    await new Promise((resolve) => this.http.server.close(resolve));
  }
}

/** As Discord's look: the bot's id in base64, a time, a signature. */
function tokenOf(userId: string): string {
  const signature = Buffer.from(snowflake() + snowflake())
    .toString('base64url')
    .slice(0, 38);
  return `${Buffer.from(userId).toString('base64url')}.${Buffer.from(String(Date.now())).toString('base64url').slice(0, 6)}.${signature}`;
}
