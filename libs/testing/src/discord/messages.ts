import { ApiError, invalidForm, unauthorized, unknown } from './api-error.js';
import { type ActionRow, componentsOf } from './components.js';
import type { Gateway } from './gateway.js';
import type { ApiRequest } from './request.js';
import {
  type Attachment,
  type Channel,
  type FilePart,
  type Message,
  snowflake,
  type User,
  type World,
} from './world.js';

/** https://docs.discord.com/developers/resources/message#create-message */
export const MOST_CHARACTERS = 2_000;
export const MOST_FILES = 10;
/** "within the past few minutes" */
const NONCE_MS = 180_000;

export interface NewMessage {
  author: User;
  channel: Channel;
  content: string;
  files?: Map<string, FilePart>;
  fields?: Partial<Message>;
}

/** What is written in channels: https://docs.discord.com/developers/resources/message */
export class Messages {
  maxFileBytes = 10 * 1024 * 1024;
  /** Calls of typing, by channel. */
  readonly typing: string[] = [];
  readonly reactions: string[] = [];
  /** Channels that refuse what bots write: 50001, 50007, 50013, 50083. */
  readonly refusing = new Map<string, ApiError>();
  /** Every text a message had, in order. */
  readonly edits = new Map<string, string[]>();
  private readonly nonces = new Map<string, { messageId: string; at: number }>();

  constructor(
    private readonly world: World,
    private readonly gateway: Gateway,
    private readonly fileUrl: (attachmentPath: string) => string,
  ) {}

  create({ bot, params, body, files }: ApiRequest): Message {
    const channel = this.channelFor(bot.user, params[0]);
    this.refuseIn(channel);
    const nonce = this.nonceOf(body);
    if (body['enforce_nonce'] === true && nonce !== undefined) {
      const known = this.nonces.get(`${bot.user.id} ${nonce}`);
      const message = known && Date.now() - known.at < NONCE_MS ? this.world.messages.get(known.messageId) : undefined;
      if (message) return message;
    }
    const content = this.contentOf(body, files, true);
    const components = componentsOf(body);
    const reference = body['message_reference'] as { message_id: string; fail_if_not_exists?: boolean } | undefined;
    const replied = reference && this.world.messages.get(reference.message_id);
    if (reference && !replied && reference.fail_if_not_exists !== false) {
      throw invalidForm({
        message_reference: { code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' },
      });
    }
    const message = this.add({
      author: bot.user,
      channel,
      content,
      files: attachedFiles(body, files),
      fields: {
        ...(nonce !== undefined ? { nonce } : {}),
        ...(replied
          ? {
              type: 19,
              message_reference: { message_id: replied.id, channel_id: channel.id },
              referenced_message: replied,
            }
          : {}),
        flags: typeof body['flags'] === 'number' ? body['flags'] : 0,
        ...(components ? { components } : {}),
      },
    });
    if (nonce !== undefined) this.nonces.set(`${bot.user.id} ${nonce}`, { messageId: message.id, at: Date.now() });
    return message;
  }

  /** Puts a message into a channel, whoever wrote it, and sends it to the bots there. */
  add({ author, channel, content, files = new Map(), fields = {} }: NewMessage): Message {
    const id = snowflake();
    const message: Message = {
      id,
      channel_id: channel.id,
      ...(channel.guild_id ? { guild_id: channel.guild_id } : {}),
      author,
      content,
      timestamp: new Date().toISOString(),
      edited_timestamp: null,
      tts: false,
      mention_everyone: false,
      mentions: [...content.matchAll(/<@!?(\d+)>/g)].flatMap(([, userId]) => this.world.users.get(userId ?? '') ?? []),
      mention_roles: [...content.matchAll(/<@&(\d+)>/g)].map(([, roleId = '']) => roleId),
      attachments: [...files.values()].map((file) => this.attach(channel, file)),
      embeds: [],
      pinned: false,
      type: 0,
      flags: 0,
      ...fields,
    };
    channel.last_message_id = id;
    this.world.messages.set(id, message);
    this.edits.set(id, [content]);
    this.gateway.announce('MESSAGE_CREATE', channel, message);
    return message;
  }

  edit({ bot, params, body, files }: ApiRequest): Message {
    const channel = this.channelFor(bot.user, params[0]);
    this.refuseIn(channel);
    const message = this.messageOf(channel, params[1]);
    if (message.author.id !== bot.user.id) {
      throw new ApiError(403, 50_005, 'Cannot edit a message authored by another user');
    }
    const content = this.contentOf({ content: message.content, ...body }, files, false);
    return this.change(channel, message, content, componentsOf(body));
  }

  /** Components that are not given stay. */
  change(channel: Channel, message: Message, content: string, components?: ActionRow[]): Message {
    message.content = content;
    if (components) message.components = components;
    message.edited_timestamp = new Date().toISOString();
    this.edits.get(message.id)?.push(content);
    this.gateway.announce('MESSAGE_UPDATE', channel, message);
    return message;
  }

  remove({ bot, params }: ApiRequest): void {
    const channel = this.channelFor(bot.user, params[0]);
    const message = this.messageOf(channel, params[1]);
    this.world.messages.delete(message.id);
    this.gateway.announce('MESSAGE_DELETE', channel, message);
  }

  list({ bot, params, query }: ApiRequest): Message[] {
    const channel = this.channelFor(bot.user, params[0]);
    const after = BigInt(query.get('after') ?? 0);
    const before = query.get('before');
    return this.inChannel(channel.id)
      .filter(({ id }) => BigInt(id) > after && (before === null || BigInt(id) < BigInt(before)))
      .toReversed()
      .slice(0, Number(query.get('limit') ?? 50));
  }

  inChannel(channelId: string): Message[] {
    return [...this.world.messages.values()].filter((message) => message.channel_id === channelId);
  }

  private refuseIn(channel: Channel): void {
    const refusal = this.refusing.get(channel.id);
    if (refusal) throw refusal;
  }

  /** Errors: 10003 for a channel the bot does not see, 50001 for one it may not see. */
  channelFor(bot: User, channelId: string | undefined): Channel {
    const channel = this.world.channels.get(channelId ?? '');
    if (!channel) throw unknown('Channel', 10_003);
    const application = [...this.world.bots.values()].find(({ user }) => user.id === bot.id);
    if (!application) throw unauthorized();
    if (!this.world.isIn(application, channel)) throw new ApiError(403, 50_001, 'Missing Access');
    return channel;
  }

  messageOf(channel: Channel, messageId: string | undefined): Message {
    const message = this.world.messages.get(messageId ?? '');
    if (message?.channel_id !== channel.id) throw unknown('Message', 10_008);
    return message;
  }

  /** The text of a message to be, checked as Discord checks it. */
  contentOf(body: Record<string, unknown>, files: Map<string, FilePart>, isNew: boolean): string {
    const content = body['content'] ?? '';
    if (typeof content !== 'string') {
      throw invalidForm({ content: { code: 'BASE_TYPE_BAD_TYPE', message: 'Could not interpret as string.' } });
    }
    // "2000 characters": counted in UTF-16 units, the strictest reading there is.
    if (content.length > MOST_CHARACTERS) {
      const message = `Must be ${MOST_CHARACTERS} or fewer in length.`;
      throw invalidForm({ content: { code: 'BASE_TYPE_MAX_LENGTH', message } });
    }
    if (files.size > MOST_FILES) {
      throw invalidForm({ attachments: { code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 10 or fewer in length.' } });
    }
    for (const file of files.values()) {
      if (file.data.length > this.maxFileBytes) throw new ApiError(413, 40_005, 'Request entity too large');
    }
    const hasFiles = files.size > 0 || !isNew;
    // Discord trims what is sent: only whitespace is nothing.
    if (content.trim() === '' && !hasFiles) throw new ApiError(400, 50_006, 'Cannot send an empty message');
    return content.trim();
  }

  private nonceOf(body: Record<string, unknown>): string | number | undefined {
    const nonce = body['nonce'];
    if (nonce === undefined || typeof nonce === 'number') return nonce;
    if (typeof nonce === 'string' && nonce.length <= 25) return nonce;
    throw invalidForm({ nonce: { code: 'NONCE_TYPE_TOO_LONG', message: 'Must be 25 or fewer in length.' } });
  }

  private attach(channel: Channel, file: FilePart): Attachment {
    const id = snowflake();
    const path = `${channel.id}/${id}/${encodeURIComponent(file.name)}`;
    this.world.files.set(path, file);
    const url = this.fileUrl(path);
    return { id, filename: file.name, size: file.data.length, url, proxy_url: url, content_type: file.type };
  }
}

/** Without `attachments` all files are attached; with it, those that it names, by their index. */
function attachedFiles(body: Record<string, unknown>, files: Map<string, FilePart>): Map<string, FilePart> {
  const listed = body['attachments'] as { id: string | number; filename?: string }[] | undefined;
  if (!listed) return files;
  const chosen = new Map<string, FilePart>();
  for (const { id, filename } of listed) {
    const file = files.get(String(id));
    if (file) chosen.set(String(id), { ...file, name: filename ?? file.name });
  }
  return chosen;
}
