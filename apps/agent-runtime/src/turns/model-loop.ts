import { type ModelMessage, stepCountIs, streamText, type SystemModelMessage, type ToolSet } from 'ai';
import type { ResolvedModel } from '../models/model-registry.js';
import type { LivePublisher } from './live-publisher.js';
import type { ReplyText } from './reply-text.js';
import type { StepMeter } from './step-meter.js';

export const MAX_STEPS = 100;

export interface LoopInput {
  model: ResolvedModel;
  system: SystemModelMessage;
  messages: ModelMessage[];
  tools: ToolSet;
  signal: AbortSignal;
  reply: ReplyText;
  live: LivePublisher;
  meter: StepMeter;
  /** May change the messages of the step that is about to start. */
  prepareStep?: NonNullable<Parameters<typeof streamText>[0]['prepareStep']>;
}

export interface LoopResult {
  /** `steps`: the cap was reached · `balance`: the last step used the rest of it. */
  endedBy: 'model' | 'steps' | 'balance' | 'length' | 'filter';
  /** What the model and the tools said, to be remembered by the session. */
  messages: ModelMessage[];
}

/**
 * Lets the model talk and use tools until it stops, is out of steps or of balance. Errors: those of the provider
 * as they come (see `modelFailure`), and the signal's reason when it was aborted.
 */
export async function modelLoop(input: LoopInput): Promise<LoopResult> {
  const { reply, live, meter, signal } = input;
  let balanceIsGone = false;
  let failure: { error: unknown } | undefined;
  const stream = streamText({
    model: input.model.model,
    system: input.system,
    messages: input.messages,
    tools: input.tools,
    abortSignal: signal,
    maxRetries: 2,
    stopWhen: [stepCountIs(MAX_STEPS), async () => (balanceIsGone = (await meter.balance()) <= 0)],
    ...(input.prepareStep ? { prepareStep: input.prepareStep } : {}),
    // Here, not where the stream is read: the SDK waits for this before it asks whether to go on.
    onStepFinish: ({ usage }) => meter.step(usage),
    onError: ({ error }) => void (failure ??= { error }),
    experimental_include: { requestBody: false },
  });
  let finish = 'stop';
  for await (const part of stream.fullStream) {
    switch (part.type) {
      case 'start-step':
        reply.nextStep();
        break;
      case 'text-delta':
        reply.add(part.text);
        break;
      case 'tool-call':
        live.toolCall(part.toolCallId, part.toolName, part.input);
        break;
      case 'tool-result':
        live.toolResult(part.toolCallId, part.toolName, asText(part.output), false);
        break;
      case 'tool-error':
        live.toolResult(part.toolCallId, part.toolName, messageOf(part.error), true);
        break;
      case 'finish-step':
        finish = part.finishReason;
        break;
      case 'error':
        failure ??= { error: part.error };
        break;
    }
  }
  signal.throwIfAborted();
  if (failure) throw failure.error;
  const { messages } = await stream.response;
  return { endedBy: endOf(finish, balanceIsGone), messages };
}

function endOf(finish: string, balanceIsGone: boolean): LoopResult['endedBy'] {
  if (finish === 'tool-calls') return balanceIsGone ? 'balance' : 'steps';
  if (finish === 'length') return 'length';
  return finish === 'content-filter' ? 'filter' : 'model';
}

function asText(output: unknown): string {
  return typeof output === 'string' ? output : JSON.stringify(output);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
