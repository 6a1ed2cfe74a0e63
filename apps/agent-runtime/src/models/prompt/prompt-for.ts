import type { ModelMessage } from 'ai';
import type { ModelWire } from '../model-registry.js';
import { pairedCalls } from './call-pairs.js';
import { mediaFor } from './tool-media.js';
import { withoutItemIds } from './item-ids.js';
import { inTurns } from './turn-order.js';

/**
 * The conversation in the form that a model's provider takes. Every prompt passes here, whichever provider, version or
 * interruption its messages come from; they themselves are not changed. The same messages give the same beginning of a
 * prompt each time, so that providers can cache it.
 */
export function promptFor(wire: ModelWire, messages: ModelMessage[]): ModelMessage[] {
  const filled = wire === 'google' ? messages.map(withoutEmptyThoughts) : messages;
  const shown = inTurns(mediaFor(wire, pairedCalls(filled)));
  return wire === 'openai-responses' ? withoutItemIds(shown) : shown;
}

/** The SDK sends a thought that has a signature and no text as an empty part, which Google refuses. */
function withoutEmptyThoughts(message: ModelMessage): ModelMessage {
  if (message.role !== 'assistant' || typeof message.content === 'string') return message;
  return { ...message, content: message.content.filter((part) => part.type !== 'reasoning' || part.text !== '') };
}
