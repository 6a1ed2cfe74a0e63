import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4Reasoning,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4Text,
  LanguageModelV4ToolCall,
  LanguageModelV4Usage,
} from '@ai-sdk/provider';
import { z } from 'zod';
import { newCallId } from './call-id.js';
import { meantReason } from './finish-reason.js';
import { providerMessage } from './provider-message.js';
import { cleanToolName } from './tool-name.js';
import { UnusableAnswer } from './unusable-answer.js';

/** Is called about an answer while the model gives it. */
export interface AnswerListener {
  /** Absent: nobody is shown the text. */
  onText?(delta: string): void;
  /** The first word, thought or call has come. */
  onFirst?(): void;
}

/** An answer that the provider had begun, with HTTP 200, and did not bring to its end. */
export class BrokenStream extends Error {
  constructor(
    override readonly cause: unknown,
    /** What the provider had reported by then of what it counts. */
    readonly usage?: LanguageModelV4Usage,
  ) {
    super('the model’s stream broke');
  }
}

/** A provider whose stream just ends, without a reason, was cut off on the way. */
export class StreamCut extends Error {
  constructor() {
    super('the model’s stream ended before its answer did');
  }
}

/**
 * Reads a model's streamed answer to its end and gives it as one, as `doGenerate` would have, with ids of our own for
 * its tool calls. What the provider did not bring to its end is no answer, however much of it came: none of its tool
 * calls may run; it is read on all the same, for what its provider counts. Errors: BrokenStream, also for an error event
 * within the stream.
 */
export async function collectAnswer(
  { stream, request, response }: LanguageModelV4StreamResult,
  listener: AnswerListener,
): Promise<LanguageModelV4GenerateResult> {
  const answer = new Answer(listener);
  let failure: { cause: unknown } | undefined;
  try {
    for await (const part of stream) {
      answer.count(part);
      if (part.type === 'error') failure ??= { cause: part.error };
      else if (!failure) answer.add(part);
    }
  } catch (cause) {
    failure ??= { cause };
  }
  if (failure) throw new BrokenStream(failure.cause, answer.result.usage);
  answer.end();
  const { unified, raw } = answer.result.finishReason;
  // "interrupted" is what the SDK's own providers say of a stream that just ended; a model whose stream has no end at
  // all is left with the reason that the answer began with.
  const isCut = unified === 'interrupted' || (unified === 'other' && raw === undefined);
  if (unified === 'error' || isCut)
    throw new BrokenStream(raw === undefined ? new StreamCut() : endedFor(raw), answer.result.usage);
  return {
    ...answer.result,
    ...(request ? { request } : {}),
    response: { ...answer.result.response, ...(response?.headers ? { headers: response.headers } : {}) },
  };
}

const endedFor = (reason: string) => new UnusableAnswer(`ended its answer for the reason “${providerMessage(reason)}”`);

/** Parts by which an answer begins for who waits for it. */
const BEGINS = new Set<LanguageModelV4StreamPart['type']>([
  'text-delta',
  'reasoning-delta',
  'tool-input-start',
  'tool-call',
]);

class Answer {
  readonly result: LanguageModelV4GenerateResult = {
    content: [],
    finishReason: { unified: 'other', raw: undefined },
    usage: {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    },
    warnings: [],
  };
  /** Text and reasoning come in pieces, each with the id of its block. */
  private readonly open = new Map<string, LanguageModelV4Text | LanguageModelV4Reasoning>();

  /** The provider's id of a call → ours. */
  private readonly callIds = new Map<string, string>();

  /** Calls whose arguments are still on their way. */
  private readonly begunCalls = new Map<string, { toolName: string; input: string }>();

  private hasBegun = false;

  constructor(private readonly listener: AnswerListener) {}

  /** Notes what the provider counts: at the end, and where it says so at the begin as well, what it had counted by then. */
  count(part: LanguageModelV4StreamPart): void {
    const usage = part.type === 'finish' ? part.usage : usageAtBegin(part);
    if (usage?.inputTokens.total !== undefined || usage?.outputTokens.total !== undefined) this.result.usage = usage;
  }

  add(part: LanguageModelV4StreamPart): void {
    const { result } = this;
    if (!this.hasBegun && BEGINS.has(part.type)) {
      this.hasBegun = true;
      this.listener.onFirst?.();
    }
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        this.begin(part.type === 'text-start' ? 'text' : 'reasoning', part);
        break;
      case 'text-delta':
        this.extend('text', part);
        this.listener.onText?.(part.delta);
        break;
      case 'reasoning-delta':
        this.extend('reasoning', part);
        break;
      case 'text-end':
        this.extend('text', { ...part, delta: '' });
        break;
      case 'reasoning-end':
        this.extend('reasoning', { ...part, delta: '' });
        break;
      case 'tool-input-start':
        if (!part.providerExecuted) this.begunCalls.set(part.id, { toolName: part.toolName, input: '' });
        break;
      case 'tool-input-delta': {
        const begun = this.begunCalls.get(part.id);
        if (begun) begun.input += part.delta;
        break;
      }
      case 'tool-call':
        this.begunCalls.delete(part.toolCallId);
        result.content.push(this.ownCall(part));
        break;
      case 'tool-result':
        if (!part.preliminary)
          result.content.push({ ...part, toolCallId: this.callIds.get(part.toolCallId) ?? part.toolCallId });
        break;
      case 'tool-approval-request':
      case 'source':
      case 'file':
        result.content.push(part satisfies LanguageModelV4Content);
        break;
      case 'stream-start':
        result.warnings = part.warnings;
        break;
      case 'response-metadata': {
        const { type: _, ...metadata } = part;
        result.response = { ...result.response, ...metadata };
        break;
      }
      case 'finish':
        result.finishReason = meantReason(part.finishReason);
        if (part.providerMetadata) result.providerMetadata = part.providerMetadata;
        break;
      default:
        break; // the raw parts, and a tool's input that has ended: the call itself follows whole
    }
  }

  /** A call that the output limit cut off may never come as one: it is made of what came. */
  end(): void {
    if (this.result.finishReason.unified !== 'length') return;
    for (const [toolCallId, { toolName, input }] of this.begunCalls)
      this.result.content.push(this.ownCall({ type: 'tool-call', toolCallId, toolName, input }));
  }

  private ownCall(call: LanguageModelV4ToolCall): LanguageModelV4ToolCall {
    const toolCallId = newCallId();
    this.callIds.set(call.toolCallId, toolCallId);
    return { ...call, toolCallId, toolName: call.providerExecuted ? call.toolName : cleanToolName(call.toolName) };
  }

  private begin(
    type: 'text' | 'reasoning',
    { id, providerMetadata }: BlockPart,
  ): LanguageModelV4Text | LanguageModelV4Reasoning {
    const block = { type, text: '', ...(providerMetadata ? { providerMetadata } : {}) };
    this.open.set(`${type} ${id}`, block);
    this.result.content.push(block);
    return block;
  }

  private extend(type: 'text' | 'reasoning', part: BlockPart & { delta: string }): void {
    const block = this.open.get(`${type} ${part.id}`) ?? this.begin(type, part);
    block.text += part.delta;
    if (part.providerMetadata) block.providerMetadata = part.providerMetadata;
  }
}

const AtBegin = z.object({
  anthropic: z.object({
    usage: z.object({
      input_tokens: z.number(),
      output_tokens: z.number().optional(),
      cache_read_input_tokens: z.number().nullish(),
      cache_creation_input_tokens: z.number().nullish(),
    }),
  }),
});

/** Anthropic counts the input before it answers: it is all that is known of an answer that breaks off. */
function usageAtBegin(part: LanguageModelV4StreamPart): LanguageModelV4Usage | undefined {
  if (part.type !== 'custom' || part.kind !== 'anthropic.message_start') return undefined;
  const { usage } = AtBegin.safeParse(part.providerMetadata).data?.anthropic ?? {};
  if (!usage) return undefined;
  const cacheRead = usage.cache_read_input_tokens ?? 0;
  const cacheWrite = usage.cache_creation_input_tokens ?? 0;
  return {
    inputTokens: {
      total: usage.input_tokens + cacheRead + cacheWrite,
      noCache: usage.input_tokens,
      cacheRead,
      cacheWrite,
    },
    outputTokens: { total: usage.output_tokens, text: undefined, reasoning: undefined },
  };
}

type BlockPart = Pick<LanguageModelV4Text, 'providerMetadata'> & { id: string };
