import { Counter, Histogram } from '#lib/observability';
import type { ProviderName } from './model-registry.js';

const calls = new Counter({
  name: 'roost_model_calls_total',
  help: 'Calls of models, each try, by provider and how they ended',
  labelNames: ['provider', 'outcome'],
});
const seconds = new Histogram({
  name: 'roost_model_call_duration_seconds',
  help: 'Time from a call of a model to the end of its answer, of those that were answered',
  labelNames: ['provider'],
  buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
});

/** Counts and times one call. One that its turn broke off says nothing of the provider. */
export async function measureCall<T>(
  provider: ProviderName,
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  try {
    const answer = await call();
    calls.inc({ provider, outcome: 'answered' });
    seconds.observe({ provider }, (performance.now() - startedAt) / 1_000);
    return answer;
  } catch (error) {
    calls.inc({ provider, outcome: signal?.aborted ? 'aborted' : 'failed' });
    throw error;
  }
}
