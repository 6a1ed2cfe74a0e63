import type { LanguageModelV4, LanguageModelV4Content, LanguageModelV4ToolCall } from '@ai-sdk/provider';
import { wrapLanguageModel } from 'ai';
import { readableAnswer } from './readable-answer.js';

/** A model that runs into its limit again and again in the same call is not cured by being asked once more. */
const MAX_IN_A_ROW = 3;

const EXPLANATION =
  'your output limit cut this call off before its arguments were complete: it was not run. Make it shorter, e.g. write a long file in several calls.';

/**
 * Tool calls of an answer that ended for another reason than its calls. With the model's output limit the SDK would run
 * one whose half happens to be read as a whole, and end the turn in silence for another: each is reported to the model,
 * which can make a shorter one. With a reason that the wire does not know they are whole, and run.
 */
export class CutCalls {
  private readonly ids = new Set<string>();
  private inARow = 0;

  get isHopeless(): boolean {
    return this.inARow >= MAX_IN_A_ROW;
  }

  /** The model, with its answers looked through. */
  watch(model: LanguageModelV4): LanguageModelV4 {
    return wrapLanguageModel({
      model,
      middleware: {
        specificationVersion: 'v4',
        wrapGenerate: async ({ model: inner, params }) => {
          const answer = await readableAnswer(inner, params);
          const { raw, unified } = answer.finishReason;
          const last = answer.content.at(-1);
          if (unified !== 'length' || !isOwnCall(last)) {
            this.inARow = 0;
            // Compatible servers end a step with calls for reasons of their own, `tool_use` or `eos`: the SDK would run none.
            const isForCalls = unified === 'other' && answer.content.some(isOwnCall);
            return isForCalls ? { ...answer, finishReason: { unified: 'tool-calls', raw } } : answer;
          }
          this.inARow++;
          this.ids.add(last.toolCallId);
          const content = [...answer.content.slice(0, -1), { ...last, input: unreadable(last.input) }];
          return { ...answer, content, finishReason: { unified: 'tool-calls', raw } };
        },
      },
    });
  }

  /** Says in a refused call's error why it was refused. To be given to the SDK as its repair: nothing is repaired. */
  explain({ toolCallId }: Pick<LanguageModelV4ToolCall, 'toolCallId'>, error: Error): null {
    if (this.ids.has(toolCallId)) error.message = EXPLANATION;
    return null;
  }
}

const isOwnCall = (part: LanguageModelV4Content | undefined): part is LanguageModelV4ToolCall =>
  part?.type === 'tool-call' && !part.providerExecuted;

/** What is read as whole arguments, none at all among them, is not to be run either. */
const unreadable = (input: string) => `${input} [cut off]`;
