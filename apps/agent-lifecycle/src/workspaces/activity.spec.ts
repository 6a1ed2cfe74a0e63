import { Bus } from '#lib/bus';
import { workspaceUsedSubject } from '#lib/contracts';
import { freshBus, until } from '#lib/testing';
import { expect, it } from 'vitest';
import { Activity } from './activity.js';

it('counts what a daemon reports, and leaves a workspace that sends without end uncounted and named', async () => {
  const bus = await freshBus();
  const connection = await bus.connect();
  const floods: string[] = [];
  const activity = new Activity(new Bus(connection, 'agent-lifecycle'));
  activity.start((agentId) => floods.push(agentId));
  try {
    const used = (agentId: string, forMs = 0) =>
      connection.publish(workspaceUsedSubject(agentId), JSON.stringify({ for_ms: forMs }));
    used('calm');
    connection.publish(workspaceUsedSubject('long'), new Uint8Array(2 ** 20));
    // More than a second allows, in however many seconds they come.
    for (let n = 0; n < 5_000; n += 1) used('wild');
    await until('the flood is named', () => floods.length > 0);
    expect(new Set(floods)).toEqual(new Set(['wild']));
    expect(activity.idleMs('calm')).toBeDefined();
    expect(activity.idleMs('long')).toBeUndefined();
  } finally {
    activity.stop();
    await connection.close();
    bus.release();
  }
});
