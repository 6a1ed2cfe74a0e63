import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { McpConnection } from './mcp-connection.js';

it('leaves nothing on the signal of a turn that calls often, and cancels only what still runs', async () => {
  const server = new McpServer({ name: 'quick', version: '1' });
  server.registerTool('now', {}, () => ({ content: [{ type: 'text', text: 'now' }] }));
  server.registerTool('never', {}, () => new Promise(() => undefined));
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(theirs);
  const connection = await McpConnection.open(ours);
  const turn = new AbortController();
  for (let call = 0; call < 12; call++) await connection.call('now', {}, turn.signal);
  expect(getEventListeners(turn.signal, 'abort')).toHaveLength(0);
  const running = connection.call('never', {}, turn.signal).catch((error: unknown) => String(error));
  turn.abort(new Error('the turn was stopped'));
  expect(await running).toContain('the turn was stopped');
  await connection.close();
});
