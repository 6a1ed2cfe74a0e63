import type { ContentPart, ToolSet, TypedToolCall } from 'ai';
import type { OpenCall } from '../sessions/unfinished-turns.repository.js';
import { isToolOutput, textOfOutput } from '../mcp/tool-result.js';
import type { StepRecorder } from '../runs/step-recorder.js';
import type { LivePublisher } from './live-publisher.js';

export interface CallListener {
  live: Pick<LivePublisher, 'toolCall' | 'toolResult'>;
  /** A tool call begins, and has its result. */
  onCall?(call: OpenCall): void;
  onResult?(toolCallId: string, text: string, isError: boolean): void;
}

export type CallOutcome = { output: unknown } | { error: unknown };
type Call = Pick<TypedToolCall<ToolSet>, 'toolCallId' | 'toolName' | 'input'>;

/** Reports each tool call of a model loop once when it begins and once when it has its result. */
export class ToolCallReporter {
  private readonly begun = new Set<string>();
  private readonly ended = new Set<string>();

  constructor(
    private readonly listener: CallListener,
    private readonly recorder: Pick<StepRecorder, 'toolStarted' | 'toolFinished'>,
  ) {}

  started({ toolCallId, toolName, input }: Call): void {
    if (this.begun.has(toolCallId)) return;
    this.begun.add(toolCallId);
    this.recorder.toolStarted({ toolCallId, toolName, input });
    this.listener.onCall?.({ toolCallId, toolName, input });
    this.listener.live.toolCall(toolCallId, toolName, input);
  }

  finished({ toolCallId, toolName }: Call, outcome: CallOutcome): void {
    if (this.ended.has(toolCallId)) return;
    this.ended.add(toolCallId);
    const [text, isError] = 'error' in outcome ? [messageOf(outcome.error), true] : [asText(outcome.output), false];
    this.recorder.toolFinished(toolCallId, text, isError);
    this.listener.onResult?.(toolCallId, text, isError);
    this.listener.live.toolResult(toolCallId, toolName, text, isError);
  }

  /** Reports those in a finished step that no tool was run for: the model's input was wrong, or the provider ran it. */
  reportRest(content: ContentPart<ToolSet>[]): void {
    for (const part of content) {
      if (part.type === 'tool-call') this.started(part);
      else if (part.type === 'tool-result' || part.type === 'tool-error') this.finished(part, part);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Files are named, never written out. */
function asText(output: unknown): string {
  if (typeof output === 'string') return output;
  return isToolOutput(output) ? textOfOutput(output) : JSON.stringify(output);
}
