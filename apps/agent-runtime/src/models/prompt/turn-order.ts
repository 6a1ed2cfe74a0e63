import type { AssistantModelMessage, ModelMessage, UserModelMessage } from 'ai';

/**
 * Leaves out what has no words, and puts turns in the order that providers want: a user's first and last, no two
 * answers in a row. A last message of the assistant's would be taken for the beginning of its answer, which newer models refuse.
 */
export function inTurns(messages: ModelMessage[]): ModelMessage[] {
  const shown: ModelMessage[] = [];
  for (const message of messages) {
    const kept = withWords(message);
    const last = shown.at(-1);
    if (!kept) continue;
    if (kept.role === 'assistant' && last?.role === 'assistant') shown[shown.length - 1] = joined(last, kept);
    else shown.push(kept);
  }
  if (shown[0]?.role === 'assistant') shown.unshift(note('The beginning of this conversation is not shown.'));
  if (shown.length === 0 || shown.at(-1)?.role === 'assistant') shown.push(note('Go on.'));
  return shown;
}

const note = (text: string): UserModelMessage => ({ role: 'user', content: [{ type: 'text', text: `[${text}]` }] });

function withWords(message: ModelMessage): ModelMessage | undefined {
  if (typeof message.content === 'string') return message.content.trim() ? message : undefined;
  if (message.role === 'user') {
    const parts = message.content.filter((part) => part.type !== 'text' || part.text.trim());
    return parts.length > 0 ? { ...message, content: parts } : undefined;
  }
  if (message.role !== 'assistant') return message;
  const parts = message.content.filter((part) => {
    if (part.type === 'text') return part.text.trim();
    // One that a provider signed belongs to what follows it, also without words.
    return part.type !== 'reasoning' || part.text.trim() || part.providerOptions;
  });
  return parts.some(({ type }) => type !== 'reasoning') ? { ...message, content: parts } : undefined;
}

function joined(first: AssistantModelMessage, second: AssistantModelMessage): AssistantModelMessage {
  const before = partsOf(first);
  const after = partsOf(second);
  // Some wires put the texts of a message together as they are.
  const isTextBoth = before.at(-1)?.type === 'text' && after[0]?.type === 'text';
  return {
    ...second,
    content: [...before, ...(isTextBoth ? [{ type: 'text' as const, text: '\n\n…' }] : []), ...after],
  };
}

const partsOf = ({ content }: AssistantModelMessage) =>
  typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
