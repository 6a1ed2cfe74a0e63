import { anthropicWire } from './anthropic-wire.js';
import { googleWire } from './google-wire.js';
import { openAiChatWire } from './openai-chat-wire.js';
import { openAiResponsesWire } from './openai-responses-wire.js';
import { checkPairs } from './text-rules.js';
import type { Wire, WireName } from './wire.js';

/** What all services refuse, before their own rules. */
const strict = (wire: Wire): Wire => ({
  ...wire,
  check(body, headers) {
    checkPairs(body);
    wire.check(body, headers);
  },
});

export const WIRES: Record<WireName, Wire> = {
  anthropic: strict(anthropicWire),
  'openai-chat': strict(openAiChatWire),
  'openai-responses': strict(openAiResponsesWire),
  google: strict(googleWire),
};
