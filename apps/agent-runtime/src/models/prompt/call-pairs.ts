import type { AssistantModelMessage, ModelMessage, ToolCallPart, ToolResultPart } from 'ai';
import { shownCallId } from '../call-id.js';
import { cleanToolName } from '../tool-name.js';

const NO_RESULT = '[no result: the call was interrupted]';

/**
 * Puts each tool call and its result where providers want them: the results right after the calls, in their order, one
 * for each, under ids and names that all providers take. Answers to no call are left out. Transcripts of earlier versions
 * hold the ids of whichever provider spoke: used again in each turn, or of a form that the next provider refuses.
 */
export function pairedCalls(messages: ModelMessage[]): ModelMessage[] {
  const used = new Set<string>();
  return messages.flatMap((message, at): ModelMessage[] => {
    if (message.role === 'tool') return [];
    if (message.role !== 'assistant' || typeof message.content === 'string') return [message];
    const results = resultsAfter(messages, at);
    const answers: ToolResultPart[] = [];
    const content = message.content.map((part) => {
      if (part.type !== 'tool-call' || part.providerExecuted) return part;
      const found = results.findIndex(({ toolCallId }) => toolCallId === part.toolCallId);
      const [result] = found < 0 ? [] : results.splice(found, 1);
      const toolCallId = shownCallId(part.toolCallId, used);
      used.add(toolCallId);
      const toolName = cleanToolName(part.toolName);
      const output = result?.output ?? { type: 'error-text' as const, value: NO_RESULT };
      answers.push({ type: 'tool-result', ...result, toolCallId, toolName, output });
      return { ...part, toolCallId, toolName, input: asObject(part) };
    });
    const called: AssistantModelMessage = { ...message, content };
    return answers.length > 0 ? [called, { role: 'tool', content: answers }] : [called];
  });
}

/** Those up to the next answer, whatever came in between. */
function resultsAfter(messages: ModelMessage[], at: number): ToolResultPart[] {
  const next = messages.findIndex(({ role }, index) => index > at && role === 'assistant');
  return messages
    .slice(at + 1, next < 0 ? undefined : next)
    .flatMap(({ role, content }) => (role === 'tool' ? content : []))
    .filter((part) => part.type === 'tool-result');
}

/** Arguments that could not be read were recorded as they came; providers take objects alone. */
function asObject({ input }: ToolCallPart): Record<string, unknown> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>;
  return input === undefined ? {} : { unreadable_arguments: input };
}
