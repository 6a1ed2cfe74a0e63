import { listMessages, type ClaimedTurn, type Message } from '#lib/contracts';
import type { CallContext } from '#lib/bus/rpc';
import type { ModelMessage } from 'ai';
import type { Bus } from '#lib/bus';
import { estimateTokens } from '../models/tokens.js';

const MAX_MESSAGES = 20;
const MAX_TOKENS = 8_000;

/**
 * What was lately said in the turn's conversation, before its batch and after `since`: at most 20 messages and
 * 8,000 tokens, oldest first.
 */
export async function recentMessages(
  bus: Bus,
  turn: ClaimedTurn,
  since: Date | null,
  call: CallContext,
): Promise<ModelMessage[]> {
  const first = turn.messages[0];
  const { messages } = await bus.request(
    listMessages,
    {
      agentId: turn.agentId,
      conversationId: turn.conversationId,
      limit: MAX_MESSAGES,
      ...(first ? { before: first.id } : {}),
    },
    call,
  );
  return withinTokens(messages.filter((message) => !since || message.createdAt > since)).map(toModelMessage);
}

function withinTokens(messages: Message[]): Message[] {
  let tokens = 0;
  const oldestKept = messages.findLastIndex((message) => (tokens += estimateTokens(message.content)) > MAX_TOKENS);
  return messages.slice(oldestKept + 1);
}

function toModelMessage(message: Message): ModelMessage {
  return { role: message.role, content: message.content };
}
