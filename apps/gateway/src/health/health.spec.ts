import { join } from 'node:path';
import { type Cable, cableTo, logText, startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secondGateway } from '../../test/second-gateway.js';

describe('a gateway whose messaging, agent-runtime and agent-lifecycle are away', () => {
  let roost: TestRoost;
  let database: Cable;
  let bus: Cable;
  let gateway: Awaited<ReturnType<typeof secondGateway>>;
  let probes: string;
  const probe = async (path: string) => (await fetch(new URL(path, probes))).status;

  beforeAll(async () => {
    roost = await startRoost({ services: ['gateway'] });
    [database, bus] = [await cableTo(roost.databaseUrl), await cableTo(roost.natsUrl)];
    gateway = await secondGateway(roost, {
      DATABASE_URL: database.url,
      NATS_URL: bus.url,
      ROOST_METRICS_PORT: '0',
    });
    probes = /"metrics":"([^"]+)"/.exec(await logText(join(roost.dataDir, 'second.log')))?.[1] ?? '';
  });
  afterAll(async () => {
    await gateway?.stop();
    database?.close();
    bus?.close();
    await roost?.stop();
  });

  it('is ready for requests, and says to monitors what is away', async () => {
    expect(await probe('/ready')).toBe(200);
    const health = await gateway.api('GET', '/health/ready');
    expect(health).toMatchObject({
      status: 503,
      body: {
        status: 'not_ready',
        dependencies: { postgres: 'up', 'agent-lifecycle': 'down', messaging: 'down', 'agent-runtime': 'down' },
      },
    });
  });

  it.each([
    ['PostgreSQL', () => database],
    ['NATS', () => bus],
  ])('is not ready while its own %s does not answer, and lives', async (_, cable) => {
    cable().silence(true);
    expect(await probe('/ready')).toBe(503);
    expect(await probe('/live')).toBe(200);
    cable().silence(false);
    cable().cut();
    await until('it is ready again', async () => (await probe('/ready')) === 200);
  });

  it('says to monitors within two seconds that PostgreSQL does not answer', async () => {
    database.silence(true);
    const { body } = await gateway.api<{ dependencies: object }>('GET', '/health/ready');
    expect(body.dependencies).toMatchObject({ postgres: 'down' });
    database.silence(false);
    database.cut();
  });
});
