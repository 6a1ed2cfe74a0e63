import { describe, expect, it } from 'vitest';
import { isUnreadable, meantReason } from './finish-reason.js';

describe('a finish reason that the SDK does not know', () => {
  it.each([
    // DeepSeek, Mistral, GLM, SGLang and vLLM, Google
    ['error', 'insufficient_system_resource', 'error', 'network_error', 'abort', 'cancelled', 'OTHER'],
    ['length', 'model_length', 'model_context_window_exceeded', 'MAX_TOKENS', 'max_output_tokens'],
    ['content-filter', 'sensitive', 'SAFETY', 'moderation_block', 'LANGUAGE', 'refusal', 'PROHIBITED_CONTENT'],
    ['other', 'tool_use', 'eos', '', 'stop_sequence', 'end_turn', 'STOP', 'other', 'COMPLETE'],
    ['other', 'MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MALFORMED_RESPONSE'],
  ])('is counted as “%s”', (unified, ...names) => {
    for (const raw of names) expect([raw, meantReason({ unified: 'other', raw }).unified]).toEqual([raw, unified]);
  });

  it('leaves those alone that it knows', () => {
    for (const unified of ['stop', 'tool-calls', 'length', 'interrupted'] as const)
      expect(meantReason({ unified, raw: 'error' }).unified).toBe(unified);
    expect(meantReason({ unified: 'error', raw: undefined }).unified).toBe('error');
  });

  it('may say that what the model wrote could not be read', () => {
    const unread = meantReason({ unified: 'error', raw: 'MALFORMED_FUNCTION_CALL' });
    expect([unread.unified, isUnreadable(unread)]).toEqual(['other', true]);
    expect(isUnreadable({ raw: 'tool_use' })).toBe(false);
  });
});
