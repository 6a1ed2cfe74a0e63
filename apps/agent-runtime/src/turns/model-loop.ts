import { type ModelMessage, stepCountIs, streamText, type ToolSet } from 'ai';
import type { ResolvedModel } from '../models/model-registry.js';
import { cachedMessages, cachedSystem } from '../models/prompt-cache.js';
import type { OpenCall } from '../sessions/unfinished-turns.js';
import type { LivePublisher } from './live-publisher.js';
import type { ReplyText } from './reply-text.js';
import type { StepMeter } from './step-meter.js';
import type { TurnView } from './turn-view.js';

export const MAX_STEPS = 100;

export interface LoopInput {
  model: ResolvedModel;
  system: string;
  messages: ModelMessage[];
  tools: ToolSet;
  signal: AbortSignal;
  reply: ReplyText;
  live: Pick<LivePublisher, 'toolCall' | 'toolResult'>;
  meter: StepMeter;
  view: TurnView;
  /** Told what the model and the tools have said in finished steps, all of it each time. */
  onSaid(messages: ModelMessage[]): void;
  /** A tool call begins, and has its result. */
  onCall?(call: OpenCall): void;
  onResult?(toolCallId: string, text: string, isError: boolean): void;
  /** Before every step but the first; may change the view. */
  beforeStep(messages: ModelMessage[]): Promise<void>;
}

/** `steps`: the cap was reached · `balance`: the last step used the rest of it. */
export type LoopEnd = 'model' | 'steps' | 'balance' | 'length' | 'filter';

/**
 * Lets the model talk and use tools until it stops, is out of steps or of balance. Errors: those of the provider
 * as they come (see `modelFailure`), and the signal's reason when it was aborted.
 */
export async function modelLoop(input: LoopInput): Promise<LoopEnd> {
  const { reply, live, meter, signal, view } = input;
  const told = (toolCallId: string, toolName: string, text: string, isError: boolean) => {
    input.onResult?.(toolCallId, text, isError);
    live.toolResult(toolCallId, toolName, text, isError);
  };
  const { provider, model } = input.model;
  let balanceIsGone = false;
  let failure: { error: unknown } | undefined;
  const stream = streamText({
    model,
    system: cachedSystem(provider, input.system),
    messages: input.messages,
    tools: input.tools,
    abortSignal: signal,
    // Once, for a hiccup: what lasts longer is messaging's to try again, with this turn's work kept.
    maxRetries: 1,
    // Else the provider keeps what was said, and later steps refer to what it may have forgotten.
    providerOptions: { openai: { store: false } },
    stopWhen: [stepCountIs(MAX_STEPS), async () => (balanceIsGone = (await meter.balance()) <= 0)],
    prepareStep: async ({ messages, stepNumber }) => {
      if (stepNumber > 0) await input.beforeStep(messages);
      return { messages: cachedMessages(provider, view.apply(messages)) };
    },
    // Here, not where the stream is read: the SDK waits for this before it asks whether to go on.
    onStepFinish: ({ usage, response, content }) => {
      meter.step(usage, content);
      input.onSaid(response.messages);
    },
    onError: ({ error }) => void (failure ??= { error }),
    experimental_include: { requestBody: false },
  });
  let finish: { reason: string; raw: string | undefined } = { reason: 'error', raw: undefined };
  for await (const part of stream.fullStream) {
    switch (part.type) {
      case 'start-step':
        reply.nextStep();
        break;
      case 'text-delta':
        reply.add(part.text);
        break;
      case 'tool-call':
        input.onCall?.({ toolCallId: part.toolCallId, toolName: part.toolName, input: part.input });
        live.toolCall(part.toolCallId, part.toolName, part.input);
        break;
      case 'tool-result':
        told(part.toolCallId, part.toolName, asText(part.output), false);
        break;
      case 'tool-error':
        told(
          part.toolCallId,
          part.toolName,
          part.error instanceof Error ? part.error.message : String(part.error),
          true,
        );
        break;
      case 'finish-step':
        finish = { reason: part.finishReason, raw: part.rawFinishReason };
        break;
      case 'error':
        failure ??= { error: part.error };
        break;
      default:
        break; // what the reply and the live view do not show
    }
  }
  signal.throwIfAborted();
  if (failure) throw failure.error;
  return endOf(finish, balanceIsGone);
}

/** A provider whose stream just ends, without a reason, was cut off on the way. */
export class StreamCut extends Error {
  constructor() {
    super('the model’s stream ended before its answer did');
  }
}

function endOf({ reason, raw }: { reason: string; raw: string | undefined }, balanceIsGone: boolean): LoopEnd {
  if (reason === 'tool-calls') return balanceIsGone ? 'balance' : 'steps';
  if (reason === 'length') return 'length';
  if (reason === 'content-filter') return 'filter';
  // The SDKs say "other" both for reasons they do not know and for none at all; only the second is a cut.
  if (reason === 'error' || (reason === 'other' && raw === undefined)) throw new StreamCut();
  return 'model';
}

function asText(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output);
}
