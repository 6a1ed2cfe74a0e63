import { type Core, dataOf, idOf } from '../core.js';
import {
  conversationsList,
  conversationsPin,
  messagesGet,
  messagesList,
  messagesRead,
  messagesSend,
  sessionsReset,
} from '../generated/sdk.gen.js';
import type {
  ConversationsListResponses,
  ConversationsPinResponses,
  MessagesGetResponses,
  MessagesListData,
  MessagesSendData,
  MessagesSendResponses,
} from '../generated/types.gen.js';
import { Listing, numbered } from '../listing.js';
import type { CallOptions } from '../transport/transport.js';
import { type Message, MessageFailedError, type Reply, replyOf } from './reply.js';

export type NewMessage = MessagesSendData['body'];
export type AcceptedMessage = MessagesSendResponses[201];
export type MessageQuery = Omit<NonNullable<MessagesListData['query']>, 'before' | 'after'>;
export type Conversation = ConversationsListResponses[200]['conversations'][number];

/** How long one request waits for a reply; the next one goes on. */
const WAIT_SECONDS = 55;
/** What takes longer may be waiting for something that its sender would want to know. */
const FIRST_WAIT_SECONDS = 2;

export type WaitingFor = NonNullable<Message['waiting_for']>;

export interface ReplyOptions extends CallOptions {
  /** Called while the message is not being answered, with what it waits for, whenever that is another reason. */
  onWaiting?: ((waiting: WaitingFor) => void) | undefined;
}

export class Messages {
  constructor(
    private readonly core: Core,
    private readonly agentId: string,
  ) {}

  /** Queues a message. When this resolves it is on disk and will be answered. */
  send(message: NewMessage, options?: CallOptions): Promise<AcceptedMessage> {
    return dataOf(messagesSend({ ...this.core.by(options), path: { id: this.agentId }, body: message }));
  }

  /** With the agent's replies, and the run that answers it. */
  get(messageId: string, options?: CallOptions): Promise<MessagesGetResponses[200]> {
    return dataOf(messagesGet({ ...this.core.by(options), path: this.pathOf(messageId) }));
  }

  /** Waits until the message is answered, for as long as that takes. Errors: MessageFailedError. */
  async reply(messageId: string, options: ReplyOptions = {}): Promise<Reply> {
    const { onWaiting, ...call } = options;
    const path = this.pathOf(messageId);
    let reason: string | undefined;
    for (let wait = onWaiting ? FIRST_WAIT_SECONDS : WAIT_SECONDS; ; wait = WAIT_SECONDS) {
      const { message, replies } = await dataOf(messagesGet({ ...this.core.by(call), path, query: { wait } }));
      if (message.error) throw new MessageFailedError(message.id, message.error);
      if (replies.length > 0 || message.status === 'read') return replyOf(message, replies);
      const waiting = message.waiting_for;
      if (waiting && waiting.reason !== reason) onWaiting?.(waiting);
      reason = waiting?.reason;
    }
  }

  /** The newest first, or those after one of them, the oldest first. */
  list(query: MessageQuery & { after?: string } = {}, options?: CallOptions): Listing<Message> {
    const isForward = query.after !== undefined;
    return Listing.of<Message, { before: string } | { after: string }>(async (cursor) => {
      const sent = { ...query, ...cursor };
      const answer = await dataOf(messagesList({ ...this.core.by(options), path: { id: this.agentId }, query: sent }));
      const { messages: found, has_more: hasMore } = answer;
      const end = isForward ? found.at(-1) : found[0];
      const next = isForward ? { after: end?.id ?? '' } : { before: end?.id ?? '' };
      return { items: isForward ? found : found.toReversed(), next: hasMore && end ? next : undefined };
    });
  }

  /** Marks a reply as read. */
  markRead(messageId: string, options?: CallOptions): Promise<Omit<Message, 'waiting_for'>> {
    return dataOf(messagesRead({ ...this.core.by(options), path: this.pathOf(messageId) }));
  }

  /** With the newest activity first. */
  conversations(options?: CallOptions): Listing<Conversation> {
    return numbered(
      (page) =>
        dataOf(
          conversationsList({ ...this.core.by(options), path: { id: this.agentId }, query: { page, limit: 100 } }),
        ),
      ({ conversations }) => conversations,
    );
  }

  /** Has a version of the agent's configuration answer in a conversation; null: the present one again. */
  pin(conversationId: string, version: number | null, options?: CallOptions): Promise<ConversationsPinResponses[200]> {
    const path = { id: this.agentId, conversationId: idOf(conversationId, 'a conversation') };
    return dataOf(conversationsPin({ ...this.core.by(options), path, body: { pinned_version: version } }));
  }

  /** The next message begins a new session: of one conversation, or of all. */
  resetSession(conversationId?: string, options?: CallOptions): Promise<{ sessions_ended: number }> {
    const body = conversationId === undefined ? {} : { conversation_id: conversationId };
    return dataOf(sessionsReset({ ...this.core.by(options), path: { id: this.agentId }, body }));
  }

  private pathOf(messageId: string) {
    return { id: this.agentId, messageId: idOf(messageId, 'a message') };
  }
}
