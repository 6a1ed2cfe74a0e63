import type { Caller } from './callers.js';

/**
 * One echo turn as an API caller sees it: sends a message, holds until the reply is stored. Gives the time of each
 * half. Errors: one that shows the answer when there is no reply.
 */
export async function exchange(
  caller: Caller,
  agentId: string,
  content: string,
): Promise<{ acceptMs: number; replyMs: number }> {
  const begin = performance.now();
  const sent = await caller.post(`/v1/agent/${agentId}/messages`, { content });
  if (sent.status !== 201) throw new Error(`a message was not accepted: ${sent.status} ${sent.body}`);
  const accepted = performance.now();
  const { id } = JSON.parse(sent.body) as { id: string };
  const got = await caller.get(`/v1/agent/${agentId}/messages/${id}?wait=30`);
  const { replies } = JSON.parse(got.body) as { replies?: { content: string }[] };
  if (!replies?.[0]?.content.includes(content)) throw new Error(`no reply came: ${got.status} ${got.body}`);
  return { acceptMs: accepted - begin, replyMs: performance.now() - accepted };
}

export const authorization = ({ apiKey }: { apiKey: string }) => ({ authorization: `Bearer ${apiKey}` });
