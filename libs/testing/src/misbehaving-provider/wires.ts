import { anthropicWire } from './anthropic-wire.js';
import { googleWire } from './google-wire.js';
import { openAiChatWire } from './openai-chat-wire.js';
import { openAiResponsesWire } from './openai-responses-wire.js';
import type { Wire, WireName } from './wire.js';

export const WIRES: Record<WireName, Wire> = {
  anthropic: anthropicWire,
  'openai-chat': openAiChatWire,
  'openai-responses': openAiResponsesWire,
  google: googleWire,
};
