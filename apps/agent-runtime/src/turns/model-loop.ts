import { type FinishReason, generateText, isStepCount, type ModelMessage, modelMessageSchema, type ToolSet } from 'ai';
import { observedModel } from '../models/observed-model.js';
import type { ResolvedModel } from '../models/model-registry.js';
import { cachedMessages, cachedSystem } from '../models/prompt-cache.js';
import { filterWords } from '../models/filter-words.js';
import { promptFor } from '../models/prompt/prompt-for.js';
import type { CallQuestions } from '../approvals/call-questions.js';
import type { AskedCalls } from '../approvals/asked-calls.js';
import { plainMessages, withoutResults } from '../approvals/plain-messages.js';
import type { WaitingCall } from '../approvals/waiting-call.js';
import { CutCalls } from './cut-calls.js';
import type { ReplyText } from './reply-text.js';
import type { StepMeter } from './step-meter.js';
import { type CallListener, ToolCallReporter } from './tool-call-reporter.js';
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
  /** Decides which calls wait for a person; none where nobody can be asked. */
  asked?: AskedCalls;
  /** What tools ask people while they run: such calls wait, too. */
  questions?: CallQuestions;
  signal: AbortSignal;
  reply: ReplyText;
  meter: StepMeter;
  view: TurnView;
  /** Receives the messages of model and tools in finished steps, all of them each time, and calls without a result. */
  onStepMessages(messages: ModelMessage[], waiting: WaitingCall[]): void;
  /** Before every step but the first; may change the view. */
  beforeStep(messages: ModelMessage[]): Promise<void>;
}

/**
 * `steps`: the cap was reached · `balance`: the last step used the rest of it · `calls`: the model's output limit cut
 * its tool calls off again and again · `approval`: a person is asked about calls of the last step.
 */
export interface LoopEnd {
  why: 'model' | 'steps' | 'balance' | 'length' | 'filter' | 'calls' | 'approval';
  /** The tools whose results the model did not read any more. */
  unseen: string[];
  /** Of `approval`: the calls that wait. */
  waiting?: WaitingCall[];
  /** Of `filter`: the provider's own words. */
  explanation?: string | undefined;
}

/**
 * Lets the model talk and use tools until it stops, is out of steps or of balance. Errors: those of the provider
 * as they come (see `modelFailure`), and the signal's reason when it was aborted.
 */
export async function modelLoop(input: LoopInput): Promise<LoopEnd> {
  const { reply, meter, signal, view } = input;
  const calls = new ToolCallReporter(input, meter.recorder);
  const cut = new CutCalls();
  const { provider, wire } = input.model;
  const messages: ModelMessage[] = [];
  let balanceIsGone = false;
  let waiting: WaitingCall[] = [];
  const model = cut.watch(
    observedModel(input.model, {
      onBegin: () => reply.nextStep(),
      onText: (delta) => reply.add(delta),
      onCall: meter.watch(input.model),
    }),
  );
  try {
    const { finishReason, steps } = await generateText({
      model,
      instructions: cachedSystem(provider, input.system),
      messages: input.messages,
      tools: input.tools,
      abortSignal: signal,
      // The model tries again by itself.
      maxRetries: 0,
      // Else the provider keeps the conversation, and later steps refer to what it may have forgotten.
      providerOptions: { openai: { store: false } },
      stopWhen: [
        isStepCount(MAX_STEPS),
        () => cut.isHopeless,
        () => input.questions?.isWaiting ?? false,
        async () => (balanceIsGone = (await meter.balance()) <= 0),
      ],
      prepareStep: async ({ initialMessages, responseMessages, stepNumber }) => {
        // Not the SDK's `messages`, which hold what the step before was shown instead of the whole list.
        const messages = [...initialMessages, ...responseMessages];
        if (stepNumber > 0) await input.beforeStep(messages);
        return { messages: cachedMessages(provider, promptFor(wire, view.apply(messages))) };
      },
      // Before any call of the step runs. The others run; the loop ends when one has no result.
      toolApproval: ({ toolCall }) => (input.asked?.mustAsk(toolCall) ? 'user-approval' : 'not-applicable'),
      experimental_repairToolCall: ({ toolCall, error }) => Promise.resolve(cut.explain(toolCall, error)),
      onToolExecutionStart: ({ toolCall }) => calls.started(toolCall),
      onToolExecutionEnd: (event) => {
        // A tool that was stopped with its turn has no result: the next attempt learns that it was interrupted.
        // One that has asked a person something has none either.
        if (signal.aborted || input.questions?.has(event.toolCall.toolCallId)) return;
        const { toolOutput } = event;
        calls.finished(
          event.toolCall,
          toolOutput.type === 'tool-result' ? { output: toolOutput.output } : { error: toolOutput.error },
        );
      },
      onStepEnd: ({ response, content }) => {
        if (signal.aborted) return;
        const isAsked = (toolCallId: string) => input.questions?.has(toolCallId) ?? false;
        calls.reportRest(content.filter((part) => part.type !== 'tool-error' || !isAsked(part.toolCallId)));
        messages.push(...withoutResults(plainMessages(response.messages), isAsked));
        waiting = input.asked?.take(content.filter((part) => part.type === 'tool-call')) ?? [];
        input.onStepMessages([...messages], waiting);
      },
    });
    signal.throwIfAborted();
    if (waiting.length > 0) return { why: 'approval', unseen: [], waiting };
    const unseen = [...new Set((steps.at(-1)?.toolCalls ?? []).map(({ toolName }) => toolName))];
    if (cut.isHopeless) return { why: 'calls', unseen };
    const why = whyOf(finishReason, balanceIsGone, unseen);
    return { why, unseen, ...(why === 'filter' ? { explanation: filterWords(steps.at(-1)?.providerMetadata) } : {}) };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function whyOf(reason: FinishReason, balanceIsGone: boolean, unseen: string[]): LoopEnd['why'] {
  if (reason === 'length') return 'length';
  if (reason === 'content-filter') return 'filter';
  // Some servers say "tool calls" and make none: that is the end, since nothing is to be waited for.
  if (unseen.length === 0) return 'model';
  return balanceIsGone ? 'balance' : 'steps';
}
