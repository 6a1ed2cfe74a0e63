import {
  type APIChatInputApplicationCommandInteraction,
  type APIInteraction,
  type APIUser,
  ApplicationCommandType,
  type GatewayMessageCreateDispatchData,
  InteractionType,
  MessageType,
} from 'discord-api-types/v10';
import type { InboundFile, InboundMessage } from '../adapters/channel-adapter.js';
import { contextOf, plainText } from './discord-text.js';

/** `<channel>` for direct messages, `<server>/<channel>` elsewhere; a thread is a channel. */
export function placeOf(guildId: string | undefined, channelId: string): string {
  return guildId === undefined ? channelId : `${guildId}/${channelId}`;
}

export function channelOf(place: string): string {
  return place.slice(place.indexOf('/') + 1);
}

/**
 * A person's message, or undefined for anything else: bots and webhooks are not listened to, so that two never talk
 * forever. A reply to the bot addresses it whether or not it pings, and so does the mention of its own role.
 */
export function inboundOf(
  message: GatewayMessageCreateDispatchData,
  me: string,
  ownRole?: string,
): InboundMessage | undefined {
  const { author } = message;
  if (author.bot || message.webhook_id !== undefined || author.id === me) return undefined;
  if (message.type !== MessageType.Default && message.type !== MessageType.Reply) return undefined;
  const forwarded = message.message_snapshots?.[0]?.message;
  const attachments = [...message.attachments, ...(forwarded?.attachments ?? [])];
  const mine = ownRole === undefined ? [me] : [me, ownRole];
  const context = contextOf(message, mine);
  const { referenced_message: repliedTo } = message;
  const replyTo = repliedTo?.author.id === me ? repliedTo.id : undefined;
  return {
    eventId: message.id,
    place: placeOf(message.guild_id, message.channel_id),
    isDirect: message.guild_id === undefined,
    isAddressed:
      message.mentions.some(({ id }) => id === me) ||
      message.mention_roles.some((id) => id === ownRole) ||
      replyTo !== undefined,
    sender: senderOf(author, message.member?.nick),
    text: plainText(message.content, message, mine),
    ...(context.length > 0 ? { context } : {}),
    ...(replyTo === undefined ? {} : { replyTo }),
    files: attachments.map(({ id, filename, size }): InboundFile => ({
      reference: `${message.channel_id}/${message.id}/${id}`,
      name: filename,
      sizeBytes: size,
    })),
  };
}

export function senderOf(user: APIUser, nick?: string | null): InboundMessage['sender'] {
  return { id: user.id, username: user.username, displayName: nick ?? user.global_name ?? user.username };
}

/** A slash command, or undefined for any other interaction. */
export function commandOf(interaction: APIInteraction): InboundMessage | undefined {
  if (interaction.type !== InteractionType.ApplicationCommand) return undefined;
  if (interaction.data.type !== ApplicationCommandType.ChatInput) return undefined;
  const command = interaction as APIChatInputApplicationCommandInteraction;
  const user = command.member?.user ?? command.user;
  if (!user) return undefined;
  const values = command.data.options?.map((option) => ('value' in option ? String(option.value) : '')) ?? [];
  return {
    eventId: command.id,
    place: placeOf(command.guild_id, command.channel.id),
    isDirect: command.guild_id === undefined,
    isAddressed: true,
    sender: senderOf(user, command.member?.nick),
    text: [`/${command.data.name}`, ...values].join(' '),
    files: [],
    answerTo: `${command.application_id}/${command.token}`,
  };
}
