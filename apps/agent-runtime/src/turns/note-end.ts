import { PLATFORM_NAMES } from '#lib/contracts';
import type { ModelMessage } from 'ai';
import { type LoopEnd, MAX_STEPS } from './model-loop.js';
import type { ReplyText } from './reply-text.js';

/** What later turns have in place of an exchange that a content filter stopped: by the names of its tools, not what they said. */
export function filteredTurn(messages: ModelMessage[]): ModelMessage {
  const called = new Set(
    messages.flatMap(({ role, content }) =>
      role === 'assistant' && typeof content !== 'string'
        ? content.flatMap((part) => (part.type === 'tool-call' ? [part.toolName] : []))
        : [],
    ),
  );
  const ran =
    called.size > 0 ? ` In it these tools ran, unasked they are not to run again: ${[...called].join(', ')}.` : '';
  return {
    role: 'user',
    content: `[An exchange is left out here: the provider’s content filter stopped its answer.${ran}]`,
  };
}

/** Chats have a command for it. */
const CHATS = new Set<string>(PLATFORM_NAMES);

/** Adds to the reply why the turn ends, where the model itself does not say it. */
export function noteEnd(reply: ReplyText, { why, unseen, explanation }: LoopEnd, channel: string): void {
  const tools = unseen.length > 0 ? `; what it last called (${unseen.join(', ')}) it did not read any more` : '';
  if (why === 'steps') reply.note(`stopped after ${MAX_STEPS} steps${tools}`);
  if (why === 'balance') reply.note(`stopped: the agent’s output token balance is used up${tools}`);
  if (why === 'length') reply.note('cut off: the model’s longest answer was reached');
  if (why === 'calls')
    reply.note(`stopped: the model’s output limit cut its call of ${unseen.join(', ')} off three times in a row`);
  if (why === 'filter') {
    const words = explanation ? `: ${explanation}` : '';
    const how = CHATS.has(channel) ? ' with /new' : '';
    reply.note(
      `the provider’s content filter stopped this answer${words}. If it stops the next one as well, begin a new session${how}`,
    );
  }
  if (!reply.value) reply.add('[the model ended its turn without saying anything]');
}

/** The model has given its final answer: nothing waits for it to go on. */
export function isAnswered(messages: ModelMessage[]): boolean {
  const last = messages.at(-1);
  if (last?.role !== 'assistant') return false;
  return typeof last.content === 'string' || last.content.every(({ type }) => type !== 'tool-call');
}
