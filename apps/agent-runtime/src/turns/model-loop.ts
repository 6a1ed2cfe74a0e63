import { generateText, type ModelMessage, modelMessageSchema, stepCountIs, type ToolSet, wrapLanguageModel } from 'ai';
import type { ResolvedModel } from '../models/model-registry.js';
import { cachedMessages, cachedSystem } from '../models/prompt-cache.js';
import { BrokenStream, spokenAnswer } from '../models/spoken-answer.js';
import type { ReplyText } from './reply-text.js';
import type { StepMeter } from './step-meter.js';
import { type CallListener, ToldCalls } from './told-calls.js';
import type { TurnView } from './turn-view.js';

export const MAX_STEPS = 100;

// The SDK checks all messages before a call. Zod walks that schema anew each time until its lazy part, for JSON, was in use
// once, which in a chat without tools it never is: the walk took two thirds of the check.
modelMessageSchema.parse({
  role: 'tool',
  content: [{ type: 'tool-result', toolCallId: '', toolName: '', output: { type: 'json', value: null } }],
});

export interface LoopInput extends CallListener {
  model: ResolvedModel;
  system: string;
  messages: ModelMessage[];
  tools: ToolSet;
  signal: AbortSignal;
  reply: ReplyText;
  meter: StepMeter;
  view: TurnView;
  /** Told what the model and the tools have said in finished steps, all of it each time. */
  onSaid(messages: ModelMessage[]): void;
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
  const { reply, meter, signal, view } = input;
  const calls = new ToldCalls(input);
  const { provider } = input.model;
  let balanceIsGone = false;
  let failure: { error: unknown } | undefined;
  // The SDK's own streaming passes each piece through half a dozen streams, which took a tenth of a short turn. Here
  // the model is heard as it speaks, and the SDK is given its whole answer.
  const model = wrapLanguageModel({
    model: input.model.model,
    middleware: {
      specificationVersion: 'v3',
      wrapGenerate: async ({ doStream }) => {
        const stream = await doStream();
        reply.nextStep();
        return spokenAnswer(stream, {
          onText: (delta) => reply.add(delta),
          onError: (error) => void (failure ??= { error }),
        });
      },
    },
  });
  try {
    const { finishReason, rawFinishReason } = await generateText({
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
      experimental_onToolCallStart: ({ toolCall }) => calls.started(toolCall),
      experimental_onToolCallFinish: (event) => {
        // A tool that was stopped with its turn has no result: the next attempt learns that it was interrupted.
        if (signal.aborted) return;
        calls.finished(event.toolCall, event.success ? { output: event.output } : { error: event.error });
      },
      onStepFinish: ({ usage, response, content }) => {
        if (signal.aborted) return;
        calls.settle(content);
        meter.step(usage, content);
        input.onSaid(response.messages);
      },
      experimental_include: { requestBody: false, responseBody: false },
    });
    signal.throwIfAborted();
    if (failure) throw failure.error;
    return endOf({ reason: finishReason, raw: rawFinishReason }, balanceIsGone);
  } catch (error) {
    signal.throwIfAborted();
    if (failure) throw failure.error;
    throw error instanceof BrokenStream ? error.cause : error;
  }
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
