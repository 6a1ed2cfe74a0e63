import type { ActionRow } from './components.js';
/** What exists on the pretended Discord. Shapes as in https://docs.discord.com/developers/resources. */

export interface User {
  id: string;
  username: string;
  global_name: string | null;
  discriminator: string;
  avatar: null;
  bot?: boolean;
}

export interface BotApplication {
  id: string;
  user: User;
  token: string;
  /** Privileged intents switched on in the developer portal, as a bit field. */
  privilegedIntents: number;
  commands: ApplicationCommand[];
}

export interface ApplicationCommand {
  id: string;
  application_id: string;
  guild_id?: string;
  name: string;
  description: string;
  type: number;
  options?: unknown[];
  version: string;
}

export interface Guild {
  id: string;
  name: string;
  owner_id: string;
  /** Bots that were invited, and the role that each got. */
  bots: Map<string, string>;
}

/** 0 a guild's text channel, 1 a DM, 11 a public thread. */
export type ChannelType = 0 | 1 | 11;

export interface Channel {
  id: string;
  type: ChannelType;
  name?: string;
  guild_id?: string;
  parent_id?: string;
  recipients?: User[];
  last_message_id: string | null;
}

export interface Attachment {
  id: string;
  filename: string;
  size: number;
  url: string;
  proxy_url: string;
  content_type?: string;
  description?: string;
}

export interface Message {
  id: string;
  channel_id: string;
  guild_id?: string;
  author: User;
  content: string;
  timestamp: string;
  edited_timestamp: string | null;
  tts: false;
  mention_everyone: false;
  mentions: User[];
  mention_roles: string[];
  attachments: Attachment[];
  embeds: unknown[];
  pinned: false;
  type: number;
  flags: number;
  nonce?: string | number;
  message_reference?: { message_id: string; channel_id: string; guild_id?: string };
  referenced_message?: Message | null;
  webhook_id?: string;
  components?: ActionRow[];
  interaction_metadata?: { id: string; type: number; user: User; authorizing_integration_owners: object };
}

export interface FilePart {
  name: string;
  type: string;
  data: Buffer;
}

const EPOCH = 1_420_070_400_000n;
let counter = 0n;

/** Ids grow with time, as Discord's do: 42 bits of milliseconds since 2015, 22 bits to distinguish them. */
export function snowflake(): string {
  counter = (counter + 1n) % (1n << 22n);
  return String(((BigInt(Date.now()) - EPOCH) << 22n) | counter);
}

export class World {
  readonly users = new Map<string, User>();
  readonly bots = new Map<string, BotApplication>();
  readonly guilds = new Map<string, Guild>();
  readonly channels = new Map<string, Channel>();
  /** In the order they were sent. */
  readonly messages = new Map<string, Message>();
  readonly files = new Map<string, FilePart>();

  addUser(username: string, isBot = false): User {
    const user: User = { id: snowflake(), username, global_name: null, discriminator: '0', avatar: null };
    if (isBot) user.bot = true;
    this.users.set(user.id, user);
    return user;
  }

  botByToken(token: string | undefined): BotApplication | undefined {
    return [...this.bots.values()].find((bot) => bot.token === token);
  }

  dmOf(bot: BotApplication, userId: string): Channel | undefined {
    const user = this.users.get(userId);
    if (!user) return undefined;
    for (const channel of this.channels.values()) {
      const people = channel.recipients?.map(({ id }) => id) ?? [];
      if (channel.type === 1 && people.includes(userId) && people.includes(bot.user.id)) return channel;
    }
    return this.addChannel({ type: 1, recipients: [bot.user, user] });
  }

  addChannel(channel: Omit<Channel, 'id' | 'last_message_id'>): Channel {
    const created = { ...channel, id: snowflake(), last_message_id: null };
    this.channels.set(created.id, created);
    return created;
  }

  /** Bots that see what happens in a channel. */
  botsIn(channel: Channel): BotApplication[] {
    return [...this.bots.values()].filter((bot) => this.isIn(bot, channel));
  }

  isIn(bot: BotApplication, channel: Channel): boolean {
    if (channel.type === 1) return channel.recipients?.some(({ id }) => id === bot.user.id) ?? false;
    return this.guilds.get(channel.guild_id ?? '')?.bots.has(bot.user.id) ?? false;
  }

  /** What a bot sees of a channel: a DM names the other one only. */
  channelFor(bot: BotApplication, channel: Channel): object {
    const recipients = channel.recipients?.filter(({ id }) => id !== bot.user.id);
    return { ...channel, ...(recipients ? { recipients } : {}) };
  }
}
