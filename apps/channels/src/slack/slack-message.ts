import { z } from 'zod';
import type { InboundMessage } from '../adapters/channel-adapter.js';
import { plainText, sharedIn } from './slack-text.js';

/** What we read of https://docs.slack.dev/reference/events/message and `app_mention`. */
export const SlackEvent = z.looseObject({
  type: z.string(),
  subtype: z.string().optional(),
  hidden: z.boolean().optional(),
  user: z.string().optional(),
  bot_id: z.string().optional(),
  text: z.string().default(''),
  ts: z.string().default(''),
  channel: z.string().default(''),
  thread_ts: z.string().optional(),
  parent_user_id: z.string().optional(),
  team: z.string().optional(),
  files: z
    .array(z.looseObject({ id: z.string(), name: z.string().nullish(), size: z.number().optional() }))
    .default([]),
  /** Shared and forwarded messages, and what apps show: https://docs.slack.dev/messaging/formatting-message-text */
  attachments: z
    .array(
      z.looseObject({
        author_name: z.string().nullish(),
        title: z.string().nullish(),
        text: z.string().nullish(),
        fallback: z.string().nullish(),
        from_url: z.string().nullish(),
      }),
    )
    .nullish(),
});
export type SlackEvent = z.output<typeof SlackEvent>;

/** https://docs.slack.dev/interactivity/implementing-slash-commands */
export const SlashCommand = z.looseObject({
  command: z.string(),
  text: z.string().default(''),
  user_id: z.string(),
  user_name: z.string().optional(),
  channel_id: z.string(),
  team_id: z.string().optional(),
  trigger_id: z.string(),
  response_url: z.string(),
});
export type SlashCommand = z.output<typeof SlashCommand>;

const SUBTYPES = new Set([undefined, 'file_share', 'thread_broadcast', 'me_message']);

/**
 * A person's message, or undefined for anything else: edits, notices, and bots, so that two never talk forever.
 * In channels an answer goes to the message's thread. A mention comes as two events, `message` and `app_mention`:
 * both carry the message's own time stamp, which is its id.
 */
export function inboundOf(
  event: SlackEvent,
  me: string,
  teamId: string | undefined,
  names?: Map<string, string>,
): (Omit<InboundMessage, 'sender'> & { userId: string; teamId?: string }) | undefined {
  if (event.type !== 'message' && event.type !== 'app_mention') return undefined;
  if (!SUBTYPES.has(event.subtype) || event.hidden || event.bot_id || !event.user || event.user === me)
    return undefined;
  if (!event.channel || !event.ts) return undefined;
  const isDirect = event.channel.startsWith('D');
  const thread = event.thread_ts ?? (isDirect ? undefined : event.ts);
  const team = teamId ?? event.team;
  const context = sharedIn(event.attachments ?? [], me);
  return {
    eventId: `${event.channel}:${event.ts}`,
    place: thread === undefined ? event.channel : `${event.channel}/${thread}`,
    isDirect,
    isAddressed: isDirect || event.text.includes(`<@${me}`) || event.parent_user_id === me,
    userId: event.user,
    ...(team === undefined ? {} : { teamId: team }),
    text: plainText(event.text, me, names),
    ...(context.length > 0 ? { context } : {}),
    files: event.files.map(({ id, name, size }) => ({ reference: id, name: name || 'file', sizeBytes: size ?? null })),
  };
}

/** `/link CODE`, or `/roost link CODE` where another app has that name already. */
export function commandText({ command, text }: SlashCommand): string {
  return command === '/roost' ? `/${text.trim() || 'help'}` : `${command} ${text}`.trim();
}
