import { z } from 'zod';
import type { Platform } from '../../src/adapters/platform.js';
import { ExampleAdapter } from './example-adapter.js';

const environment = { EXAMPLE_API_BASE_URL: z.url() };

/** A platform as small as one can be, for the proof that its folder and a line are enough (test/e2e/new-platform.spec.ts). */
export const platform: Platform<typeof environment> = {
  environment,
  adapter: (settings) => new ExampleAdapter(settings.EXAMPLE_API_BASE_URL),
};
