/**
 * A chat on a web page. The page runs the SDK, and holds no key: an API key may do all that its account may, and whoever
 * opens a page can read what is in it. So the page's requests come here, where the key is added, and only those that
 * talk to the visitor's own agent. One origin: no CORS.
 */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { Roost } from '@roost-ai/sdk';

const { ROOST_URL = 'http://localhost:3000', ROOST_API_KEY = '', PORT = '8080' } = process.env;
/** What one visitor's agent may write: its `output_token_balance`. */
const TOKENS_PER_VISITOR = 20_000;
const FILES: Record<string, [path: string, type: string]> = {
  '/': [fileURLToPath(import.meta.resolve('./index.html')), 'text/html; charset=utf-8'],
  '/chat.js': [fileURLToPath(import.meta.resolve('./chat.js')), 'text/javascript'],
  '/chat.css': [fileURLToPath(import.meta.resolve('./chat.css')), 'text/css'],
  '/sdk.js': [fileURLToPath(import.meta.resolve('@roost-ai/sdk')), 'text/javascript'],
};
const PERMITTED = /^\/roost(\/v1\/agent\/)me(\/messages|\/events)(\?.*)?$/;
const PASSED_ON = ['accept', 'content-type', 'idempotency-key', 'last-event-id'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const roost = new Roost({ url: ROOST_URL, apiKey: ROOST_API_KEY });
const agents = new Map<string, Promise<string>>();

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(Number(PORT), () => console.log(`Chat on http://localhost:${PORT}`));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = '', method = '' } = request;
  const visitor = /visitor=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
  const [path, type] = FILES[url] ?? [];
  if (path !== undefined && method === 'GET') {
    const isKnown = UUID.test(visitor);
    const cookie = `visitor=${crypto.randomUUID()}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000`;
    response.writeHead(200, {
      'content-type': type,
      'content-security-policy': "default-src 'self'",
      ...(isKnown ? {} : { 'set-cookie': cookie }),
    });
    return pipeline(createReadStream(path), response);
  }
  const [permitted, before, after, query = ''] = PERMITTED.exec(url) ?? [];
  if (permitted === undefined || !UUID.test(visitor)) return void response.writeHead(404).end();
  return passOn(request, response, `${before}${await agentOf(visitor)}${after}${query}`);
}

/** Each visitor has an agent: what it is, knows and says is nobody else's. One that is idle costs nothing. */
function agentOf(visitor: string): Promise<string> {
  const name = `visitor ${visitor}`;
  const find = async () => {
    for await (const found of roost.agents.list()) if (found.name === name) return found.id;
    return (await roost.agents.create({ name, output_token_balance: TOKENS_PER_VISITOR })).id;
  };
  const agent = agents.get(visitor) ?? find();
  agents.set(visitor, agent);
  // A failure is not kept: the next request tries again.
  agent.catch(() => agents.delete(visitor));
  return agent;
}

async function passOn(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const headers = new Headers({ authorization: `Bearer ${ROOST_API_KEY}` });
  for (const name of PASSED_ON) if (request.headers[name]) headers.set(name, String(request.headers[name]));
  const body = request.method === 'POST' ? Readable.toWeb(request) : null;
  const init = { method: request.method ?? 'GET', headers, body, duplex: 'half', signal: left.signal } as RequestInit;
  const answered = await fetch(`${ROOST_URL}${path}`, init);
  response.writeHead(answered.status, {
    'content-type': answered.headers.get('content-type') ?? 'application/octet-stream',
    'cache-control': 'no-store',
  });
  // The page was left: nothing to be done.
  await pipeline(answered.body ?? [], response).catch(() => response.destroy());
}
