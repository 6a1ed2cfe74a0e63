import type { Bus } from '#lib/bus';
import { PassThrough } from 'node:stream';
import { until } from '#lib/testing';
import { expect, it } from 'vitest';
import { AgentFeed } from './agent-feed.js';

it('has everybody check when the bus is back: hints that passed meanwhile are lost', async () => {
  const statuses = new PassThrough({ objectMode: true });
  const subscription = { unsubscribe: () => undefined };
  const connection = { subscribe: () => subscription, status: () => statuses };
  const feed = new AgentFeed({ connection } as unknown as Bus);
  feed.onApplicationBootstrap();
  const looked: string[] = [];
  for (const agentId of ['a', 'b'])
    feed.listen(agentId, { onHint: () => looked.push(agentId), onLive: () => undefined });
  statuses.write({ type: 'disconnect' });
  statuses.write({ type: 'reconnect' });
  await until('both have looked', () => looked.length === 2);
  expect(looked).toEqual(['a', 'b']);
  statuses.end();
});
