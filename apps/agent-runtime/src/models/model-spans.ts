import { NO_TRACES, spanTime, type Span } from '#lib/tracing';
import type { LanguageModelV4CallOptions, LanguageModelV4GenerateResult } from '@ai-sdk/provider';
import type { ProviderName, ResolvedModel } from './model-registry.js';

/** As OpenTelemetry's conventions for generative AI name them. */
const PROVIDER_NAMES: Record<ProviderName, string> = {
  anthropic: 'anthropic',
  openai: 'openai',
  google: 'gcp.gemini',
  demo: 'roost.demo',
};
/** Of each kind of content, where the operator wants it. */
const MAX_CONTENT_CHARS = 16_000;

/** One call of a model as a span, by the conventions for generative AI. `onFirst` is to be called at the first output. */
export async function tracedModelCall(
  resolved: ResolvedModel,
  params: LanguageModelV4CallOptions,
  call: (onFirst: () => void) => Promise<LanguageModelV4GenerateResult>,
): Promise<LanguageModelV4GenerateResult> {
  const { tracer = NO_TRACES, provider, modelId } = resolved;
  if (!tracer.isOn) return call(() => undefined);
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': PROVIDER_NAMES[provider],
    'gen_ai.request.model': modelId,
    'gen_ai.request.max_tokens': params.maxOutputTokens,
    'gen_ai.request.temperature': params.temperature,
    'gen_ai.output.type': 'text',
  };
  return tracer.span(`chat ${modelId}`, { kind: 'client', attributes }, async (span) => {
    const startedAt = spanTime();
    let firstMs: number | undefined;
    const answer = await call(() => (firstMs ??= spanTime() - startedAt));
    span?.set({
      ...answerAttributes(answer),
      'gen_ai.response.time_to_first_chunk': firstMs === undefined ? undefined : firstMs / 1_000,
    });
    if (span && tracer.hasContent) setContent(span, resolved, params, answer);
    return answer;
  });
}

function answerAttributes({ usage, finishReason, response }: LanguageModelV4GenerateResult) {
  return {
    'gen_ai.response.id': response?.id,
    'gen_ai.response.model': response?.modelId,
    'gen_ai.response.finish_reasons': [finishReason.unified],
    'gen_ai.usage.input_tokens': usage.inputTokens.total,
    'gen_ai.usage.output_tokens': usage.outputTokens.total,
    'gen_ai.usage.cache_read.input_tokens': usage.inputTokens.cacheRead,
    'gen_ai.usage.cache_creation.input_tokens': usage.inputTokens.cacheWrite,
    'gen_ai.usage.reasoning.output_tokens': usage.outputTokens.reasoning,
  };
}

function setContent(
  span: Span,
  { hideKey = (text) => text }: ResolvedModel,
  { prompt }: LanguageModelV4CallOptions,
  { content }: LanguageModelV4GenerateResult,
): void {
  const shown = (value: unknown) => hideKey(JSON.stringify(value)).slice(0, MAX_CONTENT_CHARS);
  span.set({
    'gen_ai.input.messages': shown(prompt),
    'gen_ai.output.messages': shown([{ role: 'assistant', parts: content }]),
  });
}
