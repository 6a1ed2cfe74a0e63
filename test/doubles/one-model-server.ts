import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface OneModelServer {
  /** For OPENAI_BASE_URL. */
  url: string;
  /** What `/v1/models` lists; another name is refused as Ollama does. */
  models: string[];
  /** The models that were asked to answer, in order. */
  asked: string[];
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** A server as people run on their own machine (Ollama, llama.cpp): it wants no key, and answers every chat the same. */
export async function oneModelServer(answer: string): Promise<OneModelServer> {
  const server = createServer((request, response) => {
    if (request.url === '/v1/models')
      return void reply(response, 200, { object: 'list', data: fake.models.map((id) => ({ id, object: 'model' })) });
    if (request.url !== '/v1/chat/completions')
      return void reply(response, 404, { error: { message: 'no such path' } });
    void json(request).then((body) => {
      const { model } = body as { model: string };
      fake.asked.push(model);
      if (!fake.models.includes(model))
        return reply(response, 404, { error: { message: `model '${model}' not found`, type: 'not_found_error' } });
      const chunk = (choice: object) =>
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, ...choice }] })}\n\n`;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunk({ delta: { role: 'assistant', content: answer }, finish_reason: null }));
      response.end(`${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`);
    });
  });
  const listenOn = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listenOn(0);
  const { port } = server.address() as AddressInfo;
  const fake: OneModelServer = {
    url: `http://127.0.0.1:${port}/v1`,
    models: ['llama3.2:latest'],
    asked: [],
    listen: () => listenOn(port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return fake;
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
