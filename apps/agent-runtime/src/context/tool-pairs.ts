import type { ModelMessage } from 'ai';

/**
 * Leaves out tool calls that were never answered, and answers without a call: providers refuse a context that holds
 * either. They come from turns that were stopped in the middle of a step.
 */
export function withoutLooseTools(messages: ModelMessage[]): ModelMessage[] {
  const called = new Set<string>();
  const answered = new Set<string>();
  for (const { content } of messages) {
    if (typeof content === 'string') continue;
    for (const part of content) {
      if (part.type === 'tool-call') called.add(part.toolCallId);
      if (part.type === 'tool-result') answered.add(part.toolCallId);
    }
  }
  return messages.flatMap((message): ModelMessage[] => {
    if (message.role === 'assistant' && typeof message.content !== 'string') {
      const content = message.content.filter((part) => part.type !== 'tool-call' || answered.has(part.toolCallId));
      return content.length > 0 ? [{ ...message, content }] : [];
    }
    if (message.role === 'tool') {
      const content = message.content.filter((part) => part.type !== 'tool-result' || called.has(part.toolCallId));
      return content.length > 0 ? [{ ...message, content }] : [];
    }
    return [message];
  });
}
