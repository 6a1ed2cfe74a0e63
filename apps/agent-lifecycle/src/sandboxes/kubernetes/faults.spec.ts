import { freshBus, type FreshBus } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runFaults } from '../../../test/drivers/kubernetes/fault-run.js';
import { kubernetesFixture } from '../../../test/drivers/kubernetes/kubernetes-fixture.js';

/** `npm run test:kubernetes` takes all 200. */
const isFull = process.env['ROOST_FULL'] === '1';

describe('the kubernetes driver, against a cluster in trouble,', () => {
  let bus: FreshBus;
  let connection: NatsConnection;
  beforeAll(async () => {
    bus = await freshBus();
    connection = await bus.connect();
  });
  afterAll(async () => {
    await connection.close();
    bus.release();
  });

  it('leaves no orphan and makes nothing twice', async () => {
    const fixture = await kubernetesFixture(bus, connection, {
      silenceMs: 1_000,
      startTimeoutMs: 5_000,
      patienceMs: 5_000,
    });
    const result = await runFaults(fixture, { seed: 11, faults: isFull ? 200 : 25, agents: isFull ? 12 : 5 });
    await fixture.close();
    if (isFull) console.log(JSON.stringify(result));
    expect(result).toMatchObject({ orphans: [], doubles: [], missing: [] });
  });
});
