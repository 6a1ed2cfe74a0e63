import type { ModelMessage, ToolResultPart } from 'ai';

/**
 * A step's messages without the SDK's notes on what is asked and answered about calls: who decides, and what was decided,
 * is in messaging's rows, and no provider takes these notes.
 */
export function plainMessages(messages: ModelMessage[]): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (message.role === 'assistant' && typeof message.content !== 'string')
      return [{ ...message, content: message.content.filter(({ type }) => type !== 'tool-approval-request') }];
    if (message.role !== 'tool') return [message];
    const content = message.content.filter(({ type }) => type !== 'tool-approval-response');
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}

/** The messages without the results of some calls. */
export function withoutResults(messages: ModelMessage[], isLeftOut: (toolCallId: string) => boolean): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (message.role !== 'tool') return [message];
    const content = message.content.filter((part) => part.type !== 'tool-result' || !isLeftOut(part.toolCallId));
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}

/** The messages with the result of a call put where the results of its step are. */
export function withResult(messages: ModelMessage[], result: ToolResultPart): ModelMessage[] {
  const at = messages.findLastIndex((message) => calls(message, result.toolCallId));
  if (at < 0) return messages;
  const next = messages[at + 1];
  const [before, after] = [messages.slice(0, at + 1), messages.slice(at + 1)];
  if (next?.role !== 'tool') return [...before, { role: 'tool', content: [result] }, ...after];
  return [...before, { ...next, content: [...next.content, result] }, ...after.slice(1)];
}

function calls({ role, content }: ModelMessage, toolCallId: string): boolean {
  if (role !== 'assistant' || typeof content === 'string') return false;
  return content.some((part) => part.type === 'tool-call' && part.toolCallId === toolCallId);
}
