import type { FetchLike } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isAnswerTo, type RequestId, wholeAnswer } from './whole-answer.js';

/**
 * A fetch for Streamable HTTP under which every request gets its answer or fails: the SDK waits for its timeout when
 * a stream breaks off, a request is only "accepted", or the answer is for another one.
 */
export function answerFetch(fetch: FetchLike): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init);
    const id = init?.method === 'POST' ? requestIdOf(init.body) : undefined;
    if (id === undefined || !response.ok) return response;
    const type = response.headers.get('content-type') ?? '';
    if (response.status === 202 || response.status === 204) {
      await response.body?.cancel();
      throw new Error(`the MCP server took the request without an answer (HTTP ${response.status})`);
    }
    if (type.startsWith('application/json')) return checkedJson(response, id);
    if (!type.startsWith('text/event-stream') || !response.body) return response;
    const headers = new Headers(init?.headers);
    headers.delete('content-type');
    headers.set('accept', 'text/event-stream');
    const reopen = (lastEventId: string, deadline: AbortSignal) => {
      headers.set('last-event-id', lastEventId);
      const signal = init?.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
      return fetch(url, { method: 'GET', headers, signal });
    };
    const body = wholeAnswer(response.body, { id, reopen, signal: init?.signal ?? undefined });
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

async function checkedJson(response: Response, id: RequestId): Promise<Response> {
  const text = await response.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error(`the MCP server’s answer is no JSON: ${JSON.stringify(text.slice(0, 100))}`);
  }
  const messages: unknown[] = Array.isArray(answer) ? answer : [answer];
  if (!messages.some((message) => isAnswerTo(id, message)))
    throw new Error(`the MCP server answered something else: ${JSON.stringify(text.slice(0, 200))}`);
  return new Response(text, { status: response.status, headers: response.headers });
}

function requestIdOf(body: RequestInit['body']): RequestId | undefined {
  if (typeof body !== 'string' || !body.startsWith('{')) return undefined;
  const { jsonrpc, id, method } = JSON.parse(body) as Record<string, unknown>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
