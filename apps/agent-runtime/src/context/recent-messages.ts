import { recentTexts, type ClaimedTurn } from '#lib/contracts';
import type { CallContext } from '#lib/call-context';
import type { ModelMessage } from 'ai';
import type { Bus } from '#lib/bus';
import { CHARS_PER_TOKEN } from '../models/tokens.js';

const MAX_MESSAGES = 20;
const MAX_TOKENS = 8_000;

/**
 * The latest messages of the turn's conversation, before its batch and after `since`: at most 20 messages and
 * 8,000 tokens, oldest first.
 */
export async function recentMessages(
  bus: Bus,
  { agentId, conversationId, messages: [first] }: ClaimedTurn,
  since: Date | null,
  call: CallContext,
): Promise<ModelMessage[]> {
  if (!first) return [];
  const { texts } = await bus.request(
    recentTexts,
    {
      agentId,
      conversationId,
      before: first.id,
      since,
      limit: MAX_MESSAGES,
      maxChars: MAX_TOKENS * CHARS_PER_TOKEN,
    },
    call,
  );
  return texts;
}
