import type { Message } from '#lib/contracts';

/** A row of `messages` as Postgres gives it. */
export interface MessageRow {
  seq: string;
  id: string;
  role: 'user' | 'assistant';
  content: string;
  metadata: Message['metadata'];
  status: Message['status'];
  channel: Message['channel'];
  queue_mode: Message['queueMode'];
  conversation_id: string;
  reply_to_id: string | null;
  created_at: Date;
  delivered_at: Date | null;
  read_at: Date | null;
  error: Message['error'];
}

export const MESSAGE_COLUMNS =
  'seq, id, role, content, metadata, status, channel, queue_mode, conversation_id, reply_to_id, created_at, delivered_at, read_at, error';

export function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    role: row.role,
    content: row.content,
    metadata: row.metadata,
    status: row.status,
    channel: row.channel,
    queueMode: row.queue_mode,
    conversationId: row.conversation_id,
    replyToId: row.reply_to_id,
    createdAt: row.created_at,
    deliveredAt: row.delivered_at,
    readAt: row.read_at,
    error: row.error,
  };
}
