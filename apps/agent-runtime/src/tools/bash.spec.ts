import { until } from '#lib/testing';
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { workspaceGone } from './bash.js';
import type { ToolContext } from './tool-context.js';

it('watches a workspace for as long as a command runs without gathering listeners', async () => {
  let looks = 0;
  // A workspace that is there whenever it is looked for: all of the bus that watching needs.
  const bus = { request: () => Promise.resolve({ bootId: 'one', uptimeMs: ++looks }) };
  const context = { bus, agentId: 'a', accountId: 'b', turnId: 'c' } as unknown as ToolContext;
  const done = new AbortController();
  void workspaceGone(context, new Promise(() => undefined), done.signal, 1);
  await until('it has looked 20 times', () => looks > 20);
  expect(getEventListeners(done.signal, 'abort').length).toBeLessThanOrEqual(1);
  done.abort();
});
