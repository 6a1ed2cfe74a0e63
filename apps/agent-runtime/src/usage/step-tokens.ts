import type { LanguageModelV4Usage } from '@ai-sdk/provider';

/** What one call of a model has used, as far as its provider reports it; `cacheRead` and `cacheWrite` are part of `input`. */
export interface StepTokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  /** Part of `output`. */
  reasoning: number;
}

/** Under the names that the API and the bus have for them. */
export const namedTokens = ({ input, output, cacheRead, cacheWrite, reasoning }: StepTokens) => ({
  inputTokens: input,
  outputTokens: output,
  cachedInputTokens: cacheRead,
  cacheWriteTokens: cacheWrite,
  reasoningTokens: reasoning,
});

/** More in one step is nonsense of a compatible server: no sum of it would be one. */
const MAX_TOKENS = 1_000_000_000;

/** Undefined when the provider reported nothing. Some compatible servers send fractions, negative counts or parts beyond the whole. */
export function tokensOf({ inputTokens, outputTokens }: LanguageModelV4Usage): StepTokens | undefined {
  if (inputTokens.total === undefined && outputTokens.total === undefined) return undefined;
  const input = count(inputTokens.total);
  const output = count(outputTokens.total);
  const cacheRead = Math.min(count(inputTokens.cacheRead), input);
  return {
    input,
    output,
    cacheRead,
    cacheWrite: Math.min(count(inputTokens.cacheWrite), input - cacheRead),
    reasoning: Math.min(count(outputTokens.reasoning), output),
  };
}

const count = (reported: number | undefined) =>
  reported === undefined || !Number.isFinite(reported) ? 0 : Math.min(Math.max(0, Math.round(reported)), MAX_TOKENS);
