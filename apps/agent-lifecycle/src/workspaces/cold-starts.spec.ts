import { randomUUID } from 'node:crypto';
import { ensureWorkspace } from '#lib/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LifecycleService, lifecycleService } from '../../test/lifecycle-service.js';

let service: LifecycleService;
beforeAll(async () => {
  service = await lifecycleService({ ROOST_MAX_STARTS: '1' });
});
afterAll(() => service.stop());

test('an account that wakes many agents delays the wake of another by one start', async () => {
  const many = await Promise.all(Array.from({ length: 6 }, () => service.agent()));
  const other = randomUUID();
  const single = await service.agent({}, other);
  const order: string[] = [];
  const wake = async (agentId: string, account: string) => {
    await service.ask(ensureWorkspace, { agent_id: agentId }, account);
    order.push(account === other ? 'other' : 'many');
  };
  await Promise.all([...many.map(({ id }) => wake(id, service.account)), wake(single.id, other)]);
  expect(order).toHaveLength(7);
  // The one under way, and one that may have its turn before the request of the other arrives.
  expect(order.indexOf('other')).toBeLessThanOrEqual(2);
});
