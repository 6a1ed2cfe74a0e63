import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the n-th message of a run marks itself in its content. */
export const markOf = (n: number) => `<<${n}>>`;
const MARK = /<<(\d+)>>/g;
const ANSWER = /answered ([\d ]+)\./;

/** Which messages a text holds, in its order. */
export const marksIn = (content: string): number[] => [...content.matchAll(MARK)].map(([, n]) => Number(n));

/** Which messages a reply says to answer. */
export const answeredIn = (reply: string): number[] => ANSWER.exec(reply)?.[1]?.trim().split(' ').map(Number) ?? [];

export interface StandInModel {
  /** For OPENAI_BASE_URL. */
  url: string;
  /** How often a model was asked to answer each message: more than once after a lost worker. */
  asked: Map<number, number>;
  close(): void;
}

/**
 * A model behind OpenAI's `/chat/completions` that answers with the marks of the messages it was given, so that a
 * reply tells which messages it is for. It takes `answerMs`, in pieces, so that faults hit turns in every stage.
 */
export async function startStandInModel(answerMs: number): Promise<StandInModel> {
  const asked = new Map<number, number>();
  const server = createServer((request, response) => {
    answer(request, response, answerMs, asked).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Prompt {
  model: string;
  messages: { role: string; content: string | { type: string; text?: string }[] }[];
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  answerMs: number,
  asked: Map<number, number>,
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { model, messages } = JSON.parse(body) as Prompt;
  const last = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const marks = marksIn(typeof last === 'string' ? last : last.map(({ text }) => text ?? '').join('\n'));
  for (const mark of marks) asked.set(mark, (asked.get(mark) ?? 0) + 1);
  const pieces = ['I have ', 'answered ', ...marks.map((mark) => `${mark} `), '.']
    .join('|')
    .replace(' |.', '|.')
    .split('|');
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choice: object, usage?: object) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model, choices: [{ index: 0, ...choice }], ...(usage ? { usage } : {}) })}\n\n`,
    );
  for (const content of pieces) {
    await sleep(answerMs / pieces.length);
    if (response.destroyed) return;
    send({ delta: { role: 'assistant', content }, finish_reason: null });
  }
  send({ delta: {}, finish_reason: 'stop' }, { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 });
  response.end('data: [DONE]\n\n');
}
