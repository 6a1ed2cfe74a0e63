import { describe, expect, it } from 'vitest';
import { DemoModel } from './demo-model.js';

describe('the demo model', () => {
  it('answers what was said, not what was given along with it', async () => {
    const texts = ['How are you?', '[metadata: {"schedule_id":"1"}]'];
    const content = texts.map((text) => ({ type: 'text' as const, text }));
    const { content: answer } = await new DemoModel().doGenerate({ prompt: [{ role: 'user', content }] });
    expect(answer).toMatchObject([{ text: expect.stringContaining('You said: “How are you?”.') as string }]);
  });
});
