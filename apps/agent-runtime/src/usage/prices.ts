import { calcPrice } from '@pydantic/genai-prices';
import { nanoUsdOf } from '#lib/contracts';
import { z } from 'zod';
import type { ProviderName, ResolvedModel } from '../models/model-registry.js';
import type { StepTokens } from './step-tokens.js';

const NANO_PER_USD = 1e9;
const TOKENS_PER_PRICE = 1_000_000;
const Rate = z.number().min(0).max(1_000_000);

/**
 * What an operator says that models cost: `{"openai/my-model": {"input": 1.5, "output": 6}}`, US dollars per million
 * tokens. Without a price of their own, tokens from and to a cache cost what input does.
 */
const ModelPrices = z.record(
  z.string().min(1).max(300),
  z.strictObject({ input: Rate, output: Rate, cache_read: Rate.optional(), cache_write: Rate.optional() }),
);
export type ModelPrices = z.output<typeof ModelPrices>;

/** The prices out of their text. Errors: what is wrong in them, for the configuration's complaint. */
export const modelPrices = z.string().transform((text, context): ModelPrices => {
  try {
    return ModelPrices.parse(JSON.parse(text));
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : 'must be JSON';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
});

/** What model steps cost, by the prices of today. */
export class Prices {
  constructor(private readonly own: ModelPrices) {}

  /** Whether steps of the model can be priced. */
  knows(model: PricedModel): boolean {
    const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
    return this.costOf(model, none) !== null;
  }

  /**
   * In nano-USD; null when no price is known. The published prices are those of the providers themselves: what another
   * server behind a base URL costs only its operator knows.
   */
  costOf({ provider, modelId, isElsewhere }: PricedModel, tokens: StepTokens): bigint | null {
    const own = this.own[`${provider}/${modelId}`];
    if (own) return inNano(ownPrice(own, tokens));
    if (provider === 'demo') return 0n;
    if (isElsewhere) return null;
    const usage = {
      input_tokens: tokens.input,
      output_tokens: tokens.output,
      cache_read_tokens: tokens.cacheRead,
      cache_write_tokens: tokens.cacheWrite,
    };
    const price = calcPrice(usage, modelId, { providerId: provider });
    return price ? inNano(price.total_price) : null;
  }
}

export type PricedModel = Pick<ResolvedModel, 'modelId' | 'isElsewhere'> & { provider: ProviderName };

function ownPrice(price: ModelPrices[string], { input, output, cacheRead, cacheWrite }: StepTokens): number {
  const plain = Math.max(0, input - cacheRead - cacheWrite);
  const perMillion =
    plain * price.input +
    output * price.output +
    cacheRead * (price.cache_read ?? price.input) +
    cacheWrite * (price.cache_write ?? price.input);
  return perMillion / TOKENS_PER_PRICE;
}

/** A step's cost is far below where a double loses a nano-dollar. */
const inNano = (usd: number) => nanoUsdOf(((Math.round(usd * NANO_PER_USD) || 0) / NANO_PER_USD).toFixed(9));
