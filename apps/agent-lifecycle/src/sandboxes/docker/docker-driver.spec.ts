import Docker from 'dockerode';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NatsConnection } from '@nats-io/transport-node';
import { ownCall } from '#lib/call-context';
import { workspaceCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { execCommand, readFile } from '#lib/contracts';
import { freshBus, type FreshBus, temporaryFolder, until } from '#lib/testing';
import { abuseLimits, probeFixture, probeTable, runProbes } from '../../../test/probes/index.js';
import { describeDriver } from '../../../test/drivers/driver-suite.js';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import { AGENT_LABEL, INSTANCE_LABEL } from './container-options.js';
import { DockerWorkspaceDriver, type DockerDriverOptions } from './docker-driver.js';

/** Set by `npm run test:docker`, which also builds the image. */
const host = process.env['ROOST_TEST_DOCKER'];
const image = process.env['ROOST_TEST_WORKSPACE_IMAGE'] ?? 'roost-workspace:latest';

function driverOn(bus: FreshBus, connection: NatsConnection, more: Partial<DockerDriverOptions> = {}) {
  return new DockerWorkspaceDriver({
    host: host ?? '',
    instance: 'roost-test',
    image,
    dataDir: temporaryFolder(),
    natsUrl: bus.url,
    nats: connection,
    mintCredentials: (agentId) => workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3_600 }),
    logger: { warn: () => undefined, info: () => undefined },
    ...more,
  });
}

const docker = new Docker({ socketPath: host?.replace('unix://', '') ?? '' });

async function left(instance: string) {
  const filters = JSON.stringify({ label: [`${INSTANCE_LABEL}=${instance}`] });
  const [containers, volumes] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  return { containers, volumes: volumes.Volumes ?? [] };
}

async function clear(instance: string): Promise<void> {
  const { containers, volumes } = await left(instance);
  for (const { Id } of containers) await docker.getContainer(Id).remove({ force: true });
  for (const { Name } of volumes) await docker.getVolume(Name).remove();
}

describe.skipIf(!host)('with Docker', () => {
  describeDriver('the docker driver', { isIsolated: true }, async () => {
    const bus = await freshBus();
    const connection = await bus.connect();
    const instance = `roost-suite-${randomUUID().slice(0, 8)}`;
    const another = () => driverOn(bus, connection, { instance });
    const driver = another();
    return {
      driver,
      connection,
      another,
      isShared: true,
      async crash(agentId) {
        const input = { agentId, execId: randomUUID(), command: 'kill -9 $PPID', timeoutMs: 500, maxOutputBytes: 100 };
        await requestOverNats(connection, execCommand, input, ownCall('crash', 500)).catch(() => undefined);
      },
      async close() {
        await driver.close();
        expect((await left(instance)).containers).toEqual([]);
        await clear(instance);
        await connection.close();
        bus.release();
      },
    };
  });

  describe('a container', () => {
    const instance = `roost-test-${randomUUID().slice(0, 8)}`;
    let bus: FreshBus;
    let connection: NatsConnection;
    let driver: DockerWorkspaceDriver;
    beforeAll(async () => {
      bus = await freshBus();
      connection = await bus.connect();
      driver = driverOn(bus, connection, { instance });
    });
    afterAll(async () => {
      await driver?.close();
      await clear(instance);
      await connection?.close();
      bus?.release();
    });

    const run = async (agentId: string, command: string, timeoutMs = 20_000) => {
      const input = { agentId, execId: randomUUID(), command, timeoutMs, maxOutputBytes: 30_000 };
      return (await requestOverNats(connection, execCommand, input, ownCall('run', timeoutMs + 10_000))).stdout;
    };
    const nameOf = (agentId: string) => `${instance}-agent-${agentId}`;

    it('has the limits and the isolation that Docker can give, by its own report', async () => {
      const spec = specOf({ resources: { cpu: '500m', memory: '256Mi' } });
      const startedAt = performance.now();
      await driver.ensure(spec);
      console.log(`docker: a cold start took ${Math.round(performance.now() - startedAt)} ms`);
      const { HostConfig, Config, Mounts } = await docker.getContainer(nameOf(spec.agentId)).inspect();
      expect(HostConfig).toMatchObject({
        Memory: 256 * 2 ** 20,
        MemorySwap: 256 * 2 ** 20,
        NanoCpus: 500_000_000,
        PidsLimit: 512,
        CapDrop: ['ALL'],
        ReadonlyRootfs: true,
        NetworkMode: 'none',
        Privileged: false,
        SecurityOpt: ['no-new-privileges', expect.stringMatching(/^seccomp=\{/)],
      });
      expect(Config).toMatchObject({ User: '1000:1000', Labels: { [AGENT_LABEL]: spec.agentId } });
      expect(Mounts).toMatchObject([{ Type: 'volume', Name: nameOf(spec.agentId), Destination: '/workspace' }]);
      // Its environment is shown to everybody who may ask Docker.
      expect(Config.Env.join(' ')).not.toMatch(/NATS|CREDS|JWT/);
    });

    it('lets no command read or write the line to the host', async () => {
      const spec = specOf();
      await driver.ensure(spec);
      const output = await run(
        spec.agentId,
        'for p in 1 $PPID; do cat /proc/$p/fd/0; echo x > /proc/$p/fd/1; done 2>&1',
      );
      expect(output.match(/Permission denied/g)).toHaveLength(4);
      expect(await run(spec.agentId, 'echo still here')).toBe('still here\n');
    });

    it('reports that the memory was used up, and what to do', async () => {
      const spec = specOf({ resources: { memory: '128Mi' } });
      await driver.ensure(spec);
      await run(spec.agentId, 'head -c 9000000 /dev/zero > big');
      const read = { agentId: spec.agentId, path: 'big', encoding: 'base64' as const };
      await until(
        'it ended',
        async () => {
          if ((await driver.inspect(spec.agentId)).state === 'failed') return true;
          // Commands are ended first, and what they left in /tmp is memory too: when none runs any more, and the daemon
          // wants some, it is the daemon that has to end.
          await run(spec.agentId, 'for f in /tmp/a /dev/shm/b; do cat /dev/zero >> $f; done', 5_000).catch(() => '');
          const reads = Array.from({ length: 8 }, () =>
            requestOverNats(connection, readFile, read, ownCall('read', 5_000)),
          );
          await Promise.allSettled(reads);
          return false;
        },
        { timeoutMs: 60_000 },
      );
      await expect(driver.inspect(spec.agentId)).resolves.toMatchObject({
        reason: expect.stringMatching(/memory \(128Mi\).*resources.memory/),
      });
      await driver.ensure(spec);
      expect(await run(spec.agentId, 'echo back')).toBe('back\n');
    });

    it('reports that the image is missing, and what to do', async () => {
      const without = driverOn(bus, connection, { instance, image: 'roost-nowhere:none' });
      const spec = specOf();
      await expect(without.ensure(spec)).rejects.toMatchObject({
        code: 'AGENT_UNAVAILABLE',
        message: expect.stringMatching(/no image roost-nowhere:none.*ROOST_WORKSPACE_IMAGE/),
      });
      await expect(without.inspect(spec.agentId)).resolves.toMatchObject({ state: 'failed' });
    });

    it('leaves what is not its own alone, and reports it', async () => {
      const spec = specOf();
      const others = await docker.createContainer({ name: nameOf(spec.agentId), Image: image });
      try {
        await expect(driver.ensure(spec)).rejects.toMatchObject({
          message: expect.stringMatching(/not this Roost's.*ROOST_DOCKER_INSTANCE/),
        });
        expect((await others.inspect()).State.Status).toBe('created');
      } finally {
        await others.remove({ v: true });
      }
      await driver.ensure(spec);
    });

    it('is removed when it ended while nobody had it', async () => {
      const agentId = randomUUID();
      const labels = { [AGENT_LABEL]: agentId, [INSTANCE_LABEL]: instance };
      const remains = await docker.createContainer({
        name: nameOf(agentId),
        Image: image,
        Labels: labels,
        Entrypoint: ['/bin/true'],
        // Docker would make a volume that is nobody's.
        HostConfig: { Tmpfs: { '/workspace': '' } },
      });
      await remains.start();
      await remains.wait();
      await driver.list();
      // Another replica may have it, and read why it ended: the second time nobody does.
      expect((await left(instance)).containers.map(({ Labels }) => Labels[AGENT_LABEL])).toContain(agentId);
      await driver.list();
      expect((await left(instance)).containers.filter(({ Labels }) => Labels[AGENT_LABEL] === agentId)).toEqual([]);
    });

    it('ends with the service that made it', async () => {
      const spec = specOf();
      const next = driverOn(bus, connection, { instance });
      await next.ensure(spec);
      await driver.ensure(spec);
      await next.close();
      await until('it ended', async () => (await driver.inspect(spec.agentId)).state !== 'running');
    });

    it.runIf(process.getuid?.() === 0)('withstands the probes', { timeout: 600_000 }, async () => {
      const fixture = await probeFixture(Number(new URL(bus.url).port));
      try {
        const { volumeBytes, ...resources } = abuseLimits;
        const spec = specOf({ volumeBytes, resources, network: { mode: 'public' } });
        const results = await runProbes({
          fixture,
          async runInSandbox(command, timeoutMs) {
            await driver.ensure(spec);
            // A workspace that does not survive a probe returns nothing more; the next one wakes it again.
            return run(spec.agentId, command, timeoutMs).catch(() => '');
          },
        });
        console.log(probeTable(results));
        expect(results.filter(({ hasPassed }) => hasPassed)).toEqual([]);
        expect(results.filter(({ isPossible }) => isPossible).length).toBeGreaterThanOrEqual(80);
      } finally {
        await fixture.clear();
      }
    });
  });
});

describe('without Docker', () => {
  it('a refusal names where Docker was looked for, and what to do', async () => {
    const bus = await freshBus();
    const connection = await bus.connect();
    const driver = driverOn(bus, connection, { host: `unix://${temporaryFolder()}/nothing.sock` });
    const spec = { agentId: randomUUID(), accountId: randomUUID(), volumeBytes: 1, env: {} };
    try {
      await expect(driver.ensure({ ...spec, network: { mode: 'none' } })).rejects.toMatchObject({
        code: 'AGENT_UNAVAILABLE',
        message: expect.stringMatching(/Docker does not answer at unix:.*DOCKER_HOST/),
      });
      await expect(driver.inspect(spec.agentId)).resolves.toMatchObject({ state: 'failed' });
      await expect(driver.isolation()).resolves.toMatchObject({ runtime: expect.stringContaining('does not answer') });
      // It may come back: trying again helps.
      expect(driver.whyNever).toBeUndefined();
      await driver.close();
    } finally {
      await connection.close();
      bus.release();
    }
  });
});
