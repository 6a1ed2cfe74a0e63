import { describe, expect, it } from 'vitest';
import { MAX_HOOK_CHARACTERS, newMessages } from './new-messages.js';

describe('the channel_message_received hook', () => {
  const filled = (content: string, channelMessageReceived: string) => {
    const message = { id: 'msg_1', content, metadata: {}, createdAt: new Date() };
    const batch = { messages: [message], attempt: 1, channel: 'api', counterparty: { id: 'c' } };
    const { content: parts } = newMessages(batch as never, { channelMessageReceived });
    return (parts as { text: string }[])[0]?.text ?? '';
  };

  it('has all that the messages say, and no more of what its template repeats than a bound', () => {
    const content = 'x'.repeat(500_000);
    expect(filled(content, 'from {{channel}}: {{content}}')).toBe(`from api: ${content}`);
    // A template saved before its placeholders were bounded.
    expect(filled(content, '{{content}}'.repeat(900))).toHaveLength(content.length + MAX_HOOK_CHARACTERS);
  });
});
