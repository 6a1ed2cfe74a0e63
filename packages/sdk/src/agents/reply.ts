import type { MessagesGetResponses } from '../generated/types.gen.js';
import { RoostError } from '../transport/errors.js';

export type Message = MessagesGetResponses[200]['message'];
export type ReplyMessage = MessagesGetResponses[200]['replies'][number];

/** What an agent answered. */
export interface Reply {
  /** Of all replies, with an empty line between two. */
  text: string;
  replies: ReplyMessage[];
  message: Message | ReplyMessage;
}

/** The message was accepted and will not be answered: `code` says why, `INTERRUPTED` or what its turn failed with. */
export class MessageFailedError extends RoostError {
  override readonly name = 'MessageFailedError';

  constructor(
    readonly messageId: string,
    error: { code: string; message: string },
  ) {
    super({ ...error, status: 200 });
  }
}

export function replyOf(message: Reply['message'], replies: ReplyMessage[]): Reply {
  return { text: replies.map(({ content }) => content).join('\n\n'), replies, message };
}
