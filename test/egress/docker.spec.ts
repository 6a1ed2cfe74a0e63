import Docker from 'dockerode';
import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import { ownCall } from '#lib/call-context';
import { execCommand } from '#lib/contracts';
import { workspaceCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { freshBus, type FreshBus, temporaryFolder } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INSTANCE_LABEL } from '../../apps/agent-lifecycle/src/sandboxes/docker/container-options.js';
import { DockerWorkspaceDriver } from '../../apps/agent-lifecycle/src/sandboxes/docker/docker-driver.js';
import { specOf } from '../../apps/agent-lifecycle/test/drivers/driver-under-test.js';
import { type Egress, grant, startEgress, zone } from './egress-fixture.js';
import { type Hosts, startHosts } from './hosts.js';

/** Set by `npm run test:docker`, which also builds the image. */
const dockerHost = process.env['ROOST_TEST_DOCKER'];
const image = process.env['ROOST_TEST_WORKSPACE_IMAGE'] ?? 'roost-workspace:latest';
const patienceMs = 60_000;

describe.skipIf(!dockerHost)('in a container of Docker', () => {
  const instance = `roost-egress-${randomUUID().slice(0, 8)}`;
  let hosts: Hosts;
  let egress: Egress;
  let bus: FreshBus;
  let connection: NatsConnection;
  let driver: DockerWorkspaceDriver;
  beforeAll(async () => {
    hosts = await startHosts();
    egress = await startEgress(hosts);
    bus = await freshBus();
    connection = await bus.connect();
    driver = new DockerWorkspaceDriver({
      ...{ host: dockerHost ?? '', instance, image, dataDir: temporaryFolder(), natsUrl: bus.url, nats: connection },
      mintCredentials: (agentId) => workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3_600 }),
      logger: { warn: () => undefined, info: () => undefined },
      ...egress.driverOptions,
    });
  });
  afterAll(async () => {
    await driver?.close();
    await clear(instance);
    await connection?.close();
    bus?.release();
    await egress?.close();
    hosts?.close();
  });

  it.each([
    ['curl', 'curl -sS -H "Authorization: Bearer $TOKEN" $API/'],
    [
      'node',
      `node -e "fetch(process.env.API, { headers: { authorization: 'Bearer ' + process.env.TOKEN } }).then((r) => r.text()).then(console.log)"`,
    ],
    [
      'python3',
      `python3 -c "import os, urllib.request as u; print(u.urlopen(u.Request(os.environ['API'], headers={'Authorization': 'Bearer ' + os.environ['TOKEN']})).read().decode())"`,
    ],
  ])('%s has its placeholder replaced, and reaches the host no more once that is revoked', async (_, command) => {
    const host = `api.${zone}:${hosts.port}`;
    const one = grant([host]);
    const token = one.credential.kind === 'bearer' ? one.credential.token : '';
    const spec = specOf({ env: { TOKEN: one.placeholder ?? '', API: `https://${host}` } });
    const run = () => {
      const input = { agentId: spec.agentId, execId: randomUUID(), command, timeoutMs: patienceMs };
      const call = ownCall('run', patienceMs + 10_000);
      return requestOverNats(connection, execCommand, { ...input, maxOutputBytes: 30_000 }, call);
    };
    await egress.grant(spec.agentId, [one]);
    await driver.ensure({ ...spec, network: { mode: 'public' } });
    const { stdout, stderr, exitCode } = await run();
    expect({ exitCode, stderr: exitCode ? stderr : '' }).toEqual({ exitCode: 0, stderr: '' });
    expect(hosts.arrivals.at(-1)?.headers['authorization']).toBe(`Bearer ${token}`);
    expect(stdout).toContain('[roost: removed]');
    expect(stdout).not.toContain(token);
    const before = hosts.arrivals.length;
    await egress.grant(spec.agentId, []);
    // The certificate is the host's own again, which nothing here trusts.
    expect((await run()).exitCode).not.toBe(0);
    expect(hosts.arrivals).toHaveLength(before);
    await driver.sleep(spec.agentId);
  });
});

async function clear(instance: string): Promise<void> {
  const docker = new Docker({ socketPath: dockerHost?.replace('unix://', '') ?? '' });
  const filters = JSON.stringify({ label: [`${INSTANCE_LABEL}=${instance}`] });
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true });
  for (const { Name } of (await docker.listVolumes({ filters })).Volumes ?? []) await docker.getVolume(Name).remove();
}
