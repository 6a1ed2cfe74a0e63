import type { Message } from '@roost-ai/sdk';
import type { AgentState, Turn } from './agent-state.js';

/** A message of a conversation; of one that was answered here, or is being answered, what the agent did for it. */
export interface ChatEntry {
  message: Message;
  /** Of the last message of a turn's batch: the turn stands below it. */
  turn?: Turn;
}

/** A conversation's messages, oldest first, with the turns that were seen. */
export function chatOf(state: AgentState, conversationId: string): ChatEntry[] {
  const turnAfter = new Map<string, Turn>();
  for (const turn of state.turns.values()) {
    const last = turn.messageIds.at(-1);
    if (last !== undefined) turnAfter.set(last, turn);
  }
  return [...state.messages.values()]
    .filter((message) => message.conversation_id === conversationId)
    .sort(inOrder)
    .map((message) => {
      const turn = turnAfter.get(message.id);
      return turn ? { message, turn } : { message };
    });
}

/** The turn that runs now: an agent has one at most. */
export function runningTurn(state: AgentState): Turn | undefined {
  for (const turn of state.turns.values()) if (turn.status === 'running') return turn;
  return undefined;
}

/** How many calls of tools have given their result: each may have changed the workspace. */
export function finishedTools({ turns }: Pick<AgentState, 'turns'>): number {
  let count = 0;
  for (const { parts } of turns.values())
    for (const part of parts) if (part.kind === 'tool' && part.output !== undefined) count += 1;
  return count;
}

/** As the API lists them: by time, then by id. */
function inOrder(a: Message, b: Message): number {
  return compare(a.created_at, b.created_at) || compare(a.id, b.id);
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
