import type { LanguageModelV4FinishReason } from '@ai-sdk/provider';

/** The provider says that it could not read what its model wrote: Google's names. */
const UNREADABLE = /^malformed_|^unexpected_tool_call|^too_many_tool_calls/i;

/**
 * Why answers end that are not whole, as servers name it outside of the standards: Mistral, DeepSeek, GLM, SGLang, vLLM,
 * Google. By what is meant, since the next server has a word of its own for it.
 */
const MEANT: [RegExp, LanguageModelV4FinishReason['unified']][] = [
  [/length|context_window|token_limit|max_\w*tokens/i, 'length'],
  [/sensitive|safety|moderation|filter|refus|prohibited|recitation|blocklist|spii|^LANGUAGE$/i, 'content-filter'],
  [/error|abort|insufficient|network|unavailable|overload|timeout|cancel|^missing_thought_signature$/i, 'error'],
  // Google's alone: who hands on other providers' reasons writes what it does not know in small letters.
  [/^OTHER$/, 'error'],
];

/** The reason by its meaning, where the SDK knows none. Others that it does not know stay as they are: `tool_use`, `eos`. */
export function meantReason(reason: LanguageModelV4FinishReason): LanguageModelV4FinishReason {
  const { unified, raw } = reason;
  if (raw === undefined || (unified !== 'other' && unified !== 'error')) return reason;
  if (isUnreadable(reason)) return { unified: 'other', raw };
  return { unified: MEANT.find(([pattern]) => pattern.test(raw))?.[1] ?? unified, raw };
}

/** What the model wrote could not be read, and so is not in its answer. */
export const isUnreadable = ({ raw }: { raw: string | undefined }): boolean => UNREADABLE.test(raw ?? '');
