import type {
  LanguageModelV3Content,
  LanguageModelV3GenerateResult,
  LanguageModelV3Reasoning,
  LanguageModelV3StreamPart,
  LanguageModelV3StreamResult,
  LanguageModelV3Text,
} from '@ai-sdk/provider';

/** Told of an answer while the model gives it. */
export interface AnswerListener {
  onText(delta: string): void;
  /** The provider said, within its stream, that it failed. */
  onError(error: unknown): void;
}

/** A stream broke after its call had begun: what was said cannot be unsaid, so the call is not made again by the SDK. */
export class BrokenStream extends Error {
  constructor(override readonly cause: unknown) {
    super('the model’s stream broke');
  }
}

/**
 * Reads a model's streamed answer to its end and gives it as one, as `doGenerate` would have. A stream that ends
 * without a reason gives `other` without a raw one, one that told of an error `error`. Errors: BrokenStream.
 */
export async function spokenAnswer(
  { stream, request, response }: LanguageModelV3StreamResult,
  listener: AnswerListener,
): Promise<LanguageModelV3GenerateResult> {
  const answer = new Answer(listener);
  try {
    for await (const part of stream) answer.add(part);
  } catch (cause) {
    throw new BrokenStream(cause);
  }
  return {
    ...answer.result,
    ...(request ? { request } : {}),
    response: { ...answer.result.response, ...(response?.headers ? { headers: response.headers } : {}) },
  };
}

class Answer {
  readonly result: LanguageModelV3GenerateResult = {
    content: [],
    finishReason: { unified: 'other', raw: undefined },
    usage: {
      inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    },
    warnings: [],
  };
  /** Text and reasoning come in pieces, each with the id of its block. */
  private readonly open = new Map<string, LanguageModelV3Text | LanguageModelV3Reasoning>();

  constructor(private readonly listener: AnswerListener) {}

  add(part: LanguageModelV3StreamPart): void {
    const { result } = this;
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        this.begin(part.type === 'text-start' ? 'text' : 'reasoning', part);
        break;
      case 'text-delta':
        this.extend('text', part);
        this.listener.onText(part.delta);
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
      case 'tool-result':
        if (!part.preliminary) result.content.push(part);
        break;
      case 'tool-call':
      case 'tool-approval-request':
      case 'source':
      case 'file':
        result.content.push(part satisfies LanguageModelV3Content);
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
        result.finishReason = part.finishReason;
        result.usage = part.usage;
        if (part.providerMetadata) result.providerMetadata = part.providerMetadata;
        break;
      case 'error':
        result.finishReason = { unified: 'error', raw: undefined };
        this.listener.onError(part.error);
        break;
      default:
        break; // a tool's input as it grows; the call itself follows whole
    }
  }

  private begin(
    type: 'text' | 'reasoning',
    { id, providerMetadata }: BlockPart,
  ): LanguageModelV3Text | LanguageModelV3Reasoning {
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

type BlockPart = Pick<LanguageModelV3Text, 'providerMetadata'> & { id: string };
