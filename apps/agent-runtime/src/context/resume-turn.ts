import { cancelExec, type ClaimedTurn } from '#lib/contracts';
import type { AssistantContent, ModelMessage, ToolContent } from 'ai';
import type { WaitingCall } from '../approvals/waiting-call.js';
import type { OpenCall, UnfinishedWork } from '../sessions/unfinished-turns.repository.js';
import { execIdOf } from '../tools/bash.js';
import type { ToolContext } from '../tools/tool-context.js';
import { toolCall } from '../tools/workspace-request.js';

/** Where an attempt begins that goes on with another's work. */
export interface ResumedTurn {
  /** The part of the batch that the earlier attempt had. */
  batch: ClaimedTurn['messages'];
  /** What came since; shown to the model after the work. */
  since: ClaimedTurn['messages'];
  stepMessages: ModelMessage[];
  /** Calls of the last step that a person was asked about. */
  waiting: WaitingCall[];
  reply: string;
}

const INTERRUPTED =
  '[interrupted: the worker that waited for this went away. It may have done part of its work: look before you repeat it.]';

/**
 * What an earlier attempt had done for this batch, with the tool calls that were under way reported as interrupted;
 * undefined when there is nothing, or it was for another batch.
 */
export function resumedTurn(turn: Pick<ClaimedTurn, 'messages'>, work: UnfinishedWork | null): ResumedTurn | undefined {
  if (!work) return undefined;
  const ids = new Set(turn.messages.map(({ id }) => id));
  if (!work.messageIds.every((id) => ids.has(id))) return undefined;
  const had = new Set(work.messageIds);
  return {
    batch: turn.messages.filter(({ id }) => had.has(id)),
    since: turn.messages.filter(({ id }) => !had.has(id)),
    stepMessages: unfinishedMessages(work),
    waiting: work.waiting ?? [],
    reply:
      work.open.length > 0 && work.stepText ? [work.reply, work.stepText].filter(Boolean).join('\n\n') : work.reply,
  };
}

/** Of finished steps and the one that was under way. */
export const unfinishedMessages = (work: UnfinishedWork): ModelMessage[] => [...work.said, ...openStep(work)];

/** Commands of the lost attempt may still run in the workspace: nobody would learn of their end. */
export async function endLostCommands(
  context: ToolContext,
  { turnId, open, waiting = [] }: UnfinishedWork,
): Promise<void> {
  // Of those that waited, an attempt may have begun one that was allowed.
  const running = [...open.filter(({ output }) => !output), ...waiting].filter(({ toolName }) => toolName === 'bash');
  await Promise.all(
    running.map(({ toolCallId }) =>
      context.bus
        .request(
          cancelExec,
          { agentId: context.agentId, execId: execIdOf(turnId, toolCallId) },
          toolCall(context, cancelExec.timeoutMs),
        )
        // The workspace is gone, and the command with it.
        .catch(() => undefined),
    ),
  );
}

function openStep({ open, stepText }: UnfinishedWork): ModelMessage[] {
  if (open.length === 0) return [];
  const calls: AssistantContent = open.map(({ toolCallId, toolName, input }) => ({
    type: 'tool-call' as const,
    toolCallId,
    toolName,
    input,
  }));
  const text = stepText ? [{ type: 'text' as const, text: stepText }] : [];
  return [
    { role: 'assistant', content: [...text, ...calls] },
    { role: 'tool', content: open.map(resultOf) },
  ];
}

function resultOf({ toolCallId, toolName, output }: OpenCall): ToolContent[number] {
  return {
    type: 'tool-result',
    toolCallId,
    toolName,
    output: output
      ? { type: output.isError ? 'error-text' : 'text', value: output.text }
      : { type: 'error-text', value: INTERRUPTED },
  };
}
