import { applyWebhooks } from '#lib/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDispatch } from '../../test/start-dispatch.js';

let dispatch: Awaited<ReturnType<typeof startDispatch>>;
beforeAll(async () => {
  dispatch = await startDispatch();
});
afterAll(() => dispatch?.stop());

it('refuses what was compared with other webhooks than there are now, and writes nothing of it', async () => {
  const agentId = randomUUID();
  const apply = (path: string, more: { dryRun?: boolean; ifState?: string | undefined; secret?: string } = {}) => {
    const { secret, ...how } = more;
    const webhook = { events: ['agent.error' as const], ...(secret === undefined ? {} : { secret }) };
    const webhooks = { [`http://127.0.0.1:8099/${path}`]: webhook };
    const asked = { agentId, dryRun: false, prune: true, webhooks, ...how };
    return dispatch.bus.request(applyWebhooks, asked, dispatch.call());
  };
  const refusal = { code: 'CONFLICT', details: [{ reason: 'changed_meanwhile' }] };
  const { state: before } = await apply('first', { dryRun: true });
  await apply('second', { ifState: before });
  await expect(apply('first', { ifState: before })).rejects.toMatchObject(refusal);
  // What is so already is so, whoever has made it.
  const { parts, state } = await apply('second', { ifState: before });
  expect(parts.map(({ name, action }) => [name, action])).toEqual([['http://127.0.0.1:8099/second', 'none']]);
  // A secret is a part of it, though none is shown.
  await apply('second', { ifState: state, secret: `whsec_${'a'.repeat(32)}` });
  await expect(apply('second', { ifState: state, secret: `whsec_${'b'.repeat(32)}` })).rejects.toMatchObject(refusal);
});
