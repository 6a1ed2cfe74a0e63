import type { ModelMessage } from 'ai';

/**
 * Without the names that OpenAI's /responses gave to parts of the conversation: it keeps nothing for us that they could name, and
 * refuses one that comes twice or is of a compatible server's own form. Reasoning is known by its name.
 */
export function withoutItemIds(messages: ModelMessage[]): ModelMessage[] {
  return messages.map((message) => {
    if (message.role !== 'assistant' || typeof message.content === 'string') return message;
    const content = message.content.map((part) => {
      if ((part.type !== 'text' && part.type !== 'tool-call') || !part.providerOptions?.['openai']) return part;
      const { itemId: _, ...openai } = part.providerOptions['openai'];
      return { ...part, providerOptions: { ...part.providerOptions, openai } };
    });
    return { ...message, content };
  });
}
