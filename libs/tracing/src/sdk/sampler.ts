import type { TraceSettings } from '#lib/config';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

/** The sampler that the variables name. `followsParent`: what is under an unsampled span is unsampled. */
export function samplerOf(settings: TraceSettings): { sampler: Sampler; followsParent: boolean } {
  const [, parentBased, kind] = /^(parentbased_)?(.+)$/.exec(settings.OTEL_TRACES_SAMPLER) ?? [];
  const root =
    kind === 'always_on'
      ? new AlwaysOnSampler()
      : kind === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(settings.OTEL_TRACES_SAMPLER_ARG ?? 1);
  if (parentBased === undefined)
    return { sampler: root, followsParent: kind !== 'always_on' && kind !== 'traceidratio' };
  return { sampler: new ParentBasedSampler({ root }), followsParent: true };
}
