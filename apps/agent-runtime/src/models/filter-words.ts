import type { ProviderMetadata } from 'ai';
import { z } from 'zod';
import { providerMessage } from './provider-message.js';

const Words = z.object({
  anthropic: z
    .object({ stopDetails: z.object({ explanation: z.string() }) })
    .optional()
    .catch(undefined),
  google: z.object({ finishMessage: z.string() }).optional().catch(undefined),
});

/** Why a content filter stopped an answer, in the provider's words; undefined where it says none. */
export function filterWords(metadata: ProviderMetadata | undefined): string | undefined {
  const { anthropic, google } = Words.parse(metadata ?? {});
  const words = providerMessage(anthropic?.stopDetails.explanation ?? google?.finishMessage ?? '');
  return words.replace(/\.$/, '') || undefined;
}
