import type { ClaimedTurn } from '#lib/contracts';
import type { ModelMessage } from 'ai';
import { withResult } from '../approvals/plain-messages.js';
import type { TurnContext } from '../context/load-context.js';
import { unfinishedMessages } from '../context/resume-turn.js';
import { withoutLooseTools } from '../context/tool-pairs.js';
import type { UnfinishedWork } from '../sessions/unfinished-turns.repository.js';
import type { TurnRunner } from './turn-runner.js';

const NOT_RUN = '[interrupted while a person was asked about this: look before you repeat it.]';

/** What ends the transcript of a turn that was stopped. */
export const INTERRUPTED_TURN: ModelMessage = { role: 'user', content: '[This turn was interrupted.]' };

/**
 * Puts into a persistent session what a turn had done that was ended while no worker had it, e.g. while it waited for a
 * person: nobody else could write it down. Returns whether there was any.
 */
export async function rememberLeftTurn(
  { sessions }: TurnRunner,
  turn: ClaimedTurn,
  { agent, session: { unfinished }, resumed }: TurnContext,
): Promise<boolean> {
  // Work of a version that did not write down what was asked is left out.
  if (!unfinished?.asked || resumed || agent.sessionMode !== 'persistent') return false;
  return sessions.storeLeft(turn, unfinished.turnId, [unfinished.asked, ...doneIn(unfinished), INTERRUPTED_TURN]);
}

function doneIn(work: UnfinishedWork): ModelMessage[] {
  const output = { type: 'error-text' as const, value: NOT_RUN };
  const messages = (work.waiting ?? []).reduce(
    (done, { toolCallId, toolName }) => withResult(done, { type: 'tool-result', toolCallId, toolName, output }),
    unfinishedMessages(work),
  );
  return withoutLooseTools(messages);
}
