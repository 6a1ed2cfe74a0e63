import { setTimeout as wait } from 'node:timers/promises';

export interface ApiAnswer<Body> {
  status: number;
  body: Body;
}

/** Asks the API and takes an answer that is not a success for an error. */
export function apiOf(url: string, apiKey: string) {
  return async <Body>(method: string, path: string, body?: object): Promise<Body> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(120_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answers ${answer.status}: ${text.slice(0, 500)}`);
    const parsed = JSON.parse(text) as { data?: Body } & Body;
    return parsed.data ?? parsed;
  };
}
export type Api = ReturnType<typeof apiOf>;

/** Waits until the whole stack says that it is ready; milliseconds since `startedAt`. */
export async function untilReady(url: string, startedAt: number, timeoutMs = 300_000): Promise<number> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline;) {
    const isReady = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return Date.now() - startedAt;
    await wait(200);
  }
  throw new Error('the stack was not ready in time');
}

interface Message {
  id: string;
  status: string;
  content: string;
}

/** An agent is made, asked to write a file, replies, and the file is read through the API. Its id, and how long it took. */
export async function journey(api: Api, text: string): Promise<{ agentId: string; replyMs: number }> {
  const { id: agentId } = await api<{ id: string }>('POST', '/v1/agent/create', { name: 'in a container' });
  const startedAt = Date.now();
  const sent = await api<Message>('POST', `/v1/agent/${agentId}/messages`, { content: `write ${text} to notes.txt` });
  const path = `/v1/agent/${agentId}/messages/${sent.id}?wait=30`;
  let answer = await api<{ message: Message; replies: Message[] }>('GET', path);
  for (let tries = 0; answer.replies.length === 0 && tries < 4; tries++) answer = await api('GET', path);
  if (answer.replies.length !== 1) throw new Error(`${answer.replies.length} replies: ${JSON.stringify(answer)}`);
  const replyMs = Date.now() - startedAt;
  const file = await api<{ content: string }>('GET', `/v1/agent/${agentId}/filesystem/files/notes.txt`);
  if (file.content !== text) throw new Error(`the file holds ${JSON.stringify(file.content)}`);
  return { agentId, replyMs };
}
