import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer, type ToolCallback } from '@modelcontextprotocol/sdk/server/mcp.js';
import { getEventListeners } from 'node:events';
import { expect, it, onTestFinished, vi } from 'vitest';
import { McpConnection } from './mcp-connection.js';

type Extra = Parameters<ToolCallback>[0];

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

it('waits for a tool as long as it reports progress, and not for ever', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const server = new McpServer({ name: 'slow', version: '1' });
  const every =
    (ms: number, times: number) =>
    async ({ _meta, sendNotification }: Extra) => {
      for (let progress = 1; progress <= times; progress++) {
        await new Promise((resolve) => setTimeout(resolve, ms));
        const progressToken = _meta?.progressToken;
        if (progressToken === undefined) continue;
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
      }
      return { content: [{ type: 'text' as const, text: 'done at last' }] };
    };
  server.registerTool('slow', {}, every(60_000, 10));
  server.registerTool('endless', {}, every(60_000, 100_000));
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  await server.connect(theirs);
  const connection = await McpConnection.open(ours);
  const call = (tool: string) =>
    connection.call(tool, {}, undefined).then(
      ({ content }) => JSON.stringify(content),
      (error: unknown) => String(error),
    );
  const [slow, endless] = [call('slow'), call('endless')];
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  expect(await slow).toContain('done at last');
  await vi.advanceTimersByTimeAsync(60 * 60_000);
  expect(await endless).toContain('-32001');
  await connection.close();
});
