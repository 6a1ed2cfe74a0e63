import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  type ElicitRequestFormParams,
  ElicitResultSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const question = (message: string): ElicitRequestFormParams => ({
  mode: 'form',
  message,
  requestedSchema: {
    type: 'object',
    properties: { seats: { type: 'integer', minimum: 1, maximum: 9 }, window: { type: 'boolean' } },
    required: ['seats'],
  },
});

/** An MCP server whose tools ask a person before they do something, and what they did. */
export async function askingServer() {
  const server = new McpServer({ name: 'asking', version: '1' });
  const [began, done]: [string[], string[]] = [[], []];
  const inputSchema = { to: z.string() };
  const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] });
  // On the stream of the call.
  server.registerTool('book', { inputSchema }, async ({ to }, extra) => {
    began.push(to);
    const params = question(`How many seats to ${to}?`);
    const answer = await extra.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema);
    if (answer.action !== 'accept') return text(answer);
    done.push(`${to} ${String(answer.content?.['seats'])}`);
    return text(answer);
  });
  // On the stream of the session, one question after the other.
  server.registerTool('book_twice', { inputSchema }, async ({ to }) => {
    began.push(to);
    const answers = [];
    for (const way of ['there', 'back']) answers.push(await server.server.elicitInput(question(`Seats ${way}?`)));
    done.push(to);
    return text(answers);
  });
  server.registerTool('open', { inputSchema }, async ({ to }) => {
    began.push(to);
    const url = `https://bank.example/${to}`;
    const answer = await server.server.elicitInput({ mode: 'url', message: 'Pay first.', url, elicitationId: to });
    return text(answer);
  });
  let isPaid = false;
  server.registerTool('pay', { inputSchema }, ({ to }) => {
    began.push(to);
    if (isPaid) return text('paid');
    isPaid = true;
    const url = `https://bank.example/${to}`;
    throw new UrlElicitationRequiredError([{ mode: 'url', message: 'Pay first.', url, elicitationId: to }]);
  });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => 'one' });
  await server.connect(transport as Transport);
  const http = createServer((request, response) => void transport.handleRequest(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    began,
    done,
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    async close() {
      await server.close();
      http.close().closeAllConnections();
    },
  };
}
