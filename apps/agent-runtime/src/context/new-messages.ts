import type { ClaimedTurn } from '#lib/contracts';
import type { ModelMessage } from 'ai';

/** The turn's batch as the model gets it: one user message with a part for each, oldest first. */
export function newMessages({ messages, attempt }: Pick<ClaimedTurn, 'messages' | 'attempt'>): ModelMessage[] {
  const parts = messages.map((message) => ({ type: 'text' as const, text: textOf(message) }));
  // The work of the lost attempt may be half done in the workspace; only the model can look.
  if (attempt > 1) parts.unshift({ type: 'text', text: '[An earlier attempt to answer was cut off. Look what is already done before you repeat an action.]' });
  return [{ role: 'user', content: parts }];
}

function textOf({ content, metadata }: ClaimedTurn['messages'][number]): string {
  return Object.keys(metadata).length === 0 ? content : `${content}\n\n[metadata: ${JSON.stringify(metadata)}]`;
}
