import type { RunStep } from '#lib/contracts';
import { namedTokens, type StepTokens } from '../usage/step-tokens.js';
import { SecretMask } from './step-text.js';

/** An attempt has a hundred model steps, but each may call many tools. What is beyond is counted by usage alone. */
const MAX_STEPS = 1_000;
/** Of all arguments and results of an attempt: its steps are written and read as one document. */
const MAX_TEXT_CHARS = 1_000_000;

interface Failure {
  code: string;
  message: string;
}

/** One call of a model, as it goes. */
export interface RecordedCall {
  firstToken(): void;
  answered(answer: { finishReason: string; tokens: StepTokens | undefined; costNano: bigint | null }): void;
  failed(reason: Failure, tokens: StepTokens | undefined, costNano: bigint | null): void;
}

type ModelStepKind = 'model' | 'compaction';

/**
 * Notes what happens inside one attempt, in the order in which it began, for whoever looks at the run. Nothing here is
 * needed by the turn itself.
 */
export class StepRecorder {
  readonly mask = new SecretMask();
  private readonly steps: RunStep[] = [];
  private readonly openTools = new Map<string, RunStep>();
  private chars = 0;

  /** A copy as of now. Steps that are under way have no duration. */
  get all(): RunStep[] {
    return this.steps.map((step) => ({ ...step }));
  }

  get isEmpty(): boolean {
    return this.steps.length === 0;
  }

  modelCall(kind: ModelStepKind, model: string): RecordedCall {
    const begunAt = performance.now();
    let firstAt: number | undefined;
    const step = this.add(kind, { model: { ...UNKNOWN_MODEL_STEP, model } });
    const end = (tokens: StepTokens | undefined, costNano: bigint | null, more: Partial<RunStep['model']>) => {
      step.durationMs = since(begunAt);
      if (!step.model) return;
      step.model = {
        ...step.model,
        ...(tokens && namedTokens(tokens)),
        costUsd: costNano,
        timeToFirstTokenMs: firstAt === undefined ? null : Math.round(firstAt - begunAt),
        ...more,
      };
    };
    return {
      firstToken: () => (firstAt ??= performance.now()),
      answered: ({ finishReason, tokens, costNano }) => end(tokens, costNano, { finishReason }),
      failed: (reason, tokens, costNano) => {
        end(tokens, costNano, {});
        step.reason = this.shownReason(reason);
      },
    };
  }

  /** A model call that failed is made again after a pause. */
  retry(reason: Failure, pauseMs: number): void {
    const step = this.add('retry', { reason: this.shownReason(reason) });
    step.durationMs = Math.round(pauseMs);
  }

  toolStarted({ toolCallId, toolName, input }: { toolCallId: string; toolName: string; input: unknown }): void {
    const shown = this.mask.shown(jsonOf(input));
    const hasRoom = this.takeRoom(shown.text);
    const step = this.add('tool', {
      tool: {
        name: toolName.slice(0, 200),
        callId: toolCallId.slice(0, 200),
        arguments: hasRoom ? shown.text : null,
        result: null,
        isTruncated: shown.isTruncated || !hasRoom,
        isError: false,
        exitCode: null,
        approval: null,
      },
    });
    this.openTools.set(toolCallId, step);
  }

  /** The exit code of a tool's command, before its result. */
  exited(toolCallId: string, exitCode: number | null): void {
    const tool = this.openTools.get(toolCallId)?.tool;
    if (tool) tool.exitCode = exitCode;
  }

  toolFinished(toolCallId: string, text: string, isError: boolean): void {
    const step = this.openTools.get(toolCallId);
    if (!step?.tool) return;
    this.openTools.delete(toolCallId);
    const shown = this.mask.shown(text);
    const hasRoom = this.takeRoom(shown.text);
    step.durationMs = Math.max(0, Date.now() - step.startedAt.getTime());
    step.tool = {
      ...step.tool,
      result: hasRoom ? shown.text : null,
      isTruncated: step.tool.isTruncated || shown.isTruncated || !hasRoom,
      isError,
    };
  }

  /** The attempt ends, and waits for a person to decide about these calls. */
  suspended(toolCallIds: string[]): void {
    for (const toolCallId of toolCallIds) {
      const step = this.openTools.get(toolCallId);
      if (!step) continue;
      this.openTools.delete(toolCallId);
      step.durationMs = Math.max(0, Date.now() - step.startedAt.getTime());
      step.reason = { code: 'APPROVAL_NEEDED', message: 'a person was asked: it has not run' };
    }
  }

  /** The attempt is stopped: what is under way has come to nothing. */
  interrupted(reason: Failure): void {
    for (const [toolCallId, step] of this.openTools) {
      step.reason = reason;
      this.toolFinished(toolCallId, '', true);
    }
    this.add('interruption', { reason: this.shownReason(reason) }).durationMs = 0;
  }

  private add(kind: RunStep['kind'], more: Partial<RunStep>): RunStep {
    const step: RunStep = {
      attempt: 1,
      number: this.steps.length + 1,
      kind,
      startedAt: new Date(),
      durationMs: null,
      model: null,
      tool: null,
      reason: null,
      ...more,
    };
    if (this.steps.length < MAX_STEPS) this.steps.push(step);
    return step;
  }

  private takeRoom(text: string): boolean {
    this.chars += text.length;
    return this.chars <= MAX_TEXT_CHARS;
  }

  private shownReason({ code, message }: Failure): Failure {
    return { code, message: this.mask.shown(message).text };
  }
}

const UNKNOWN_MODEL_STEP = {
  finishReason: null,
  inputTokens: null,
  outputTokens: null,
  cachedInputTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
  costUsd: null,
  timeToFirstTokenMs: null,
};

const since = (at: number) => Math.max(0, Math.round(performance.now() - at));

/** Arguments that a model wrote wrongly are text, as it wrote them. */
function jsonOf(input: unknown): string {
  return typeof input === 'string' ? input : (JSON.stringify(input) ?? 'null');
}
