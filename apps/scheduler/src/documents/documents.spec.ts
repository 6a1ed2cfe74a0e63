import { applyAutomation } from '#lib/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { schedulerFixture, type SchedulerFixture } from '../../test/scheduler-fixture.js';

let scheduler: SchedulerFixture;
beforeAll(async () => {
  scheduler = await schedulerFixture();
});
afterAll(() => scheduler?.stop());

const schedules = (messageTemplate: string) => ({ daily: { cronExpression: '0 4 1 1 *', messageTemplate } });
const triggers = (messageTemplate: string) => ({ issues: { messageTemplate } });

it('refuses what was compared with other schedules and triggers than there are now, and writes nothing of it', async () => {
  const { agentId, bus, call } = scheduler;
  const apply = (text: string, more: { dryRun?: boolean; ifState?: string | undefined } = {}) => {
    const wanted = { schedules: schedules(text), triggers: triggers(text), prune: true };
    return bus.request(applyAutomation, { agentId, dryRun: false, ...wanted, ...more }, call());
  };
  const { state: before } = await apply('first', { dryRun: true });
  await apply('second', { ifState: before });
  await expect(apply('first', { ifState: before })).rejects.toMatchObject({
    code: 'CONFLICT',
    details: [{ reason: 'changed_meanwhile' }],
  });
  // What is so already is so, whoever has made it.
  const { parts, state } = await apply('second', { ifState: before });
  expect(parts.map(({ kind, name, action }) => [kind, name, action])).toEqual([
    ['schedule', 'daily', 'none'],
    ['trigger', 'issues', 'none'],
  ]);
  await apply('third', { ifState: state });
});
