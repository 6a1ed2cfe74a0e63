import { readFileSync } from 'node:fs';

/** What a test recorded from a real run, by operation: the bodies of one call of it. */
export interface RecordedExamples {
  operations: Record<string, { request?: unknown; response?: unknown }>;
  errors: Record<string, unknown>;
  /** Server-sent events, by type. */
  events: Record<string, unknown>;
  /** Bodies of webhooks, by type. */
  webhooks: Record<string, unknown>;
}

export const EXAMPLES_FILE = new URL('./examples.json', import.meta.url);

/** Written by `examples.spec.ts`; ids, times and secrets in it are made up. */
export const recordedExamples = (): RecordedExamples =>
  JSON.parse(readFileSync(EXAMPLES_FILE, 'utf8')) as RecordedExamples;
