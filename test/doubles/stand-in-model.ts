import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How the n-th message of a run marks itself in its content. */
export const markOf = (n: number) => `<<${n}>>`;
const MARK = /<<(\d+)>>/g;
const ANSWER = /answered ([\d ]+)\./g;

/** Which messages a text holds, in its order. */
export const marksIn = (content: string): number[] => [...content.matchAll(MARK)].map(([, n]) => Number(n));

/** Which messages a reply says to answer, each once: what a lost worker had said may stand before the rest. */
export const answeredIn = (reply: string): number[] => {
  const texts = [...reply.matchAll(ANSWER)].map(([, numbers = '']) => numbers.trim().split(/ +/));
  return [...new Set(texts.flat().filter(Boolean).map(Number))];
};

export interface StandInModel {
  /** For OPENAI_BASE_URL. */
  url: string;
  /** How often a model was asked to answer each message: more than once after a lost worker. */
  asked: Map<number, number>;
  close(): void;
}

export interface StandInOptions {
  /** How long an answer takes, in pieces; by the marks it answers and how often the first of them was asked for. */
  answerMs: number | ((marks: number[], times: number) => number);
  /** When the first piece comes; by default the pieces are spread evenly. */
  firstMs?: number;
  /** Pieces after the marks, for a reply that streams for longer. */
  morePieces?: number;
  /** A request that holds this mark is refused as one that the provider will never take. */
  poison?: number;
  /** By default a free port that only this machine reaches. */
  listen?: { host: string; port: number };
}

/**
 * A model behind OpenAI's `/chat/completions` that answers with the marks of the messages it was given, so that a
 * reply says which messages it is for. It takes its time, in pieces, so that faults hit turns in every stage.
 * `GET /asked` returns how often it was asked, for who cannot see into it.
 */
export async function startStandInModel(options: StandInOptions): Promise<StandInModel> {
  const asked = new Map<number, number>();
  const server = createServer((request, response) => {
    answer(request, response, options, asked).catch(() => response.destroy());
  });
  const { host, port } = options.listen ?? { host: '127.0.0.1', port: 0 };
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/v1`,
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
  { answerMs, firstMs, morePieces = 0, poison }: StandInOptions,
  asked: Map<number, number>,
): Promise<void> {
  if (request.url === '/asked') return void response.end(JSON.stringify([...asked.values()]));
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { model, messages } = JSON.parse(body) as Prompt;
  const last = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const marks = marksIn(typeof last === 'string' ? last : last.map(({ text }) => text ?? '').join('\n'));
  for (const mark of marks) asked.set(mark, (asked.get(mark) ?? 0) + 1);
  if (poison !== undefined && marks.includes(poison)) {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: 'this is nothing I answer', type: 'invalid_request_error' } }));
    return;
  }
  const wholeMs = typeof answerMs === 'number' ? answerMs : answerMs(marks, asked.get(marks[0] ?? 0) ?? 1);
  const pieces = ['I have ', 'answered ', ...marks.map((mark) => `${mark} `), '.']
    .join('|')
    .replace(' |.', '|.')
    .split('|')
    .concat(Array.from({ length: morePieces }, (_, n) => ` ${n}`));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (choice: object, usage?: object) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model, choices: [{ index: 0, ...choice }], ...(usage ? { usage } : {}) })}\n\n`,
    );
  for (const [index, content] of pieces.entries()) {
    await sleep(index === 0 && firstMs !== undefined ? firstMs : wholeMs / pieces.length);
    if (response.destroyed) return;
    send({ delta: { role: 'assistant', content }, finish_reason: null });
  }
  send({ delta: {}, finish_reason: 'stop' }, { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 });
  response.end('data: [DONE]\n\n');
}
