import Docker from 'dockerode';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '#lib/testing';
import { limitsOf } from '../../limits.js';
import { AGENT_LABEL, containerOptions, INSTANCE_LABEL } from '../container-options.js';
import { DockerHost } from '../docker-host.js';
import { whyRefused } from './judge-call.js';
import { startGuard } from './start-guard.js';

const policy = { instance: 'roost', image: 'roost-workspace:latest' };
const labels = { [AGENT_LABEL]: 'a1', [INSTANCE_LABEL]: 'roost' };
const proper = () =>
  JSON.parse(
    JSON.stringify(
      containerOptions({
        agentId: 'a1',
        name: 'roost-agent-a1',
        image: policy.image,
        labels,
        limits: limitsOf({ volumeBytes: 2 ** 30, resources: { cpu: '500m', memory: '512Mi' } }),
      }),
    ),
  ) as Docker.ContainerCreateOptions & { name?: string };

describe("the guard of Docker's socket", () => {
  it('lets the containers through that the driver makes, and none that differs in anything', () => {
    const url = '/v1.41/containers/create?name=roost-agent-a1';
    const tried = (change: (body: ReturnType<typeof proper>) => void, at = url) => {
      const body = proper();
      delete body.name;
      change(body);
      return whyRefused({ method: 'POST', url: at, body }, policy);
    };
    expect(tried(() => undefined)).toBeUndefined();
    const host = (change: Docker.HostConfig) => (body: ReturnType<typeof proper>) =>
      void Object.assign(body.HostConfig ?? {}, change);
    const attempts: ((body: ReturnType<typeof proper>) => void)[] = [
      host({ Privileged: true }),
      host({ Binds: ['/:/host'] }),
      host({ Mounts: [{ Type: 'bind', Source: '/', Target: '/workspace' }] }),
      host({ Mounts: [{ Type: 'volume', Source: 'somebody-elses', Target: '/workspace' }] }),
      host({ NetworkMode: 'host' }),
      host({ PidMode: 'host' }),
      host({ CapAdd: ['SYS_ADMIN'] }),
      host({ CapDrop: [] }),
      host({ SecurityOpt: ['seccomp=unconfined'] }),
      host({ Devices: [{ PathOnHost: '/dev/kmsg', PathInContainer: '/dev/kmsg', CgroupPermissions: 'r' }] }),
      host({ ReadonlyRootfs: false }),
      host({ Memory: 0 }),
      host({ UsernsMode: 'host' }),
      (body) => void (body.Image = 'another:latest'),
      (body) => void (body.User = '0:0'),
      (body) => void (body.Entrypoint = ['/bin/sh']),
      (body) => void (body.Labels = { ...labels, [INSTANCE_LABEL]: 'another' }),
    ];
    for (const attempt of attempts) expect(tried(attempt), attempt.toString()).toContain('not a container');
    expect(tried(() => undefined, '/containers/create?name=roost-agent-a2')).toContain('not a container');
    expect(tried(() => undefined, '/containers/create?name=postgres')).toContain('not a container');
  });

  it.each([
    ['GET', '/containers/roost-agent-a1/json', true],
    ['POST', '/v1.41/containers/roost-agent-a1/start', true],
    ['DELETE', '/containers/roost-agent-a1?force=true', true],
    ['GET', '/containers/postgres/json', false],
    ['GET', '/containers/roost-agent-a1/../postgres/json', false],
    ['GET', '/containers/roost-agent-a1%2F..%2Fpostgres/json', false],
    ['POST', '/containers/roost-agent-a1/exec', false],
    ['GET', '/containers/roost-agent-a1/archive?path=/', false],
    ['DELETE', '/volumes/postgres', false],
    ['GET', '/containers/json?all=true', false],
    ['GET', `/containers/json?filters=${encodeURIComponent('{"label":["io.roost.instance=roost"]}')}`, true],
    ['GET', '/images/json', false],
    ['POST', '/build', false],
    ['POST', '/images/create?fromImage=x', false],
    ['GET', '/secrets', false],
    ['POST', '/volumes/create', false],
    ['GET', '/version', true],
  ])('%s %s is let through: %s', (method, url, isLetThrough) => {
    const body = { Name: 'roost-agent-a1', Labels: labels, DriverOpts: { type: 'none', o: 'bind', device: '/' } };
    expect(whyRefused({ method, url, body }, policy) === undefined).toBe(isLetThrough);
  });

  describe('before a Docker', () => {
    let fake: Server;
    let guard: Server;
    const asked: string[] = [];
    beforeAll(async () => {
      const socketPath = join(temporaryFolder(), 'docker.sock');
      fake = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(request.url?.includes('volumes') ? { Volumes: [] } : []));
      });
      fake.on('upgrade', (request, socket) => {
        asked.push(`UPGRADE ${request.url}`);
        socket.write('HTTP/1.1 101 UPGRADED\r\nconnection: Upgrade\r\nupgrade: tcp\r\n\r\n');
        socket.pipe(socket);
      });
      await new Promise<void>((resolve) => fake.listen(socketPath, resolve));
      guard = await startGuard({ ...policy, socketPath, port: 0, host: '127.0.0.1', log: () => undefined });
    });
    afterAll(() => {
      guard.closeAllConnections();
      guard.close();
      fake.closeAllConnections();
      fake.close();
    });

    it('reads no more of a body than a call may have, whether or not it declares its length', async () => {
      const { port } = guard.address() as AddressInfo;
      let sent = 0;
      const endless = new ReadableStream<Uint8Array>({
        async pull(controller) {
          sent += 65_536;
          controller.enqueue(new Uint8Array(65_536));
          // So that what is sent is what was read, not what the client buffers.
          await new Promise((resolve) => setTimeout(resolve, 1));
          if (sent > 64 * 2 ** 20) controller.close();
        },
      });
      const url = `http://127.0.0.1:${port}/containers/create?name=roost-agent-a1`;
      const answer = await fetch(url, { method: 'POST', body: endless, duplex: 'half' }).then(
        ({ status }) => status,
        () => 413, // hung up on before its answer was read
      );
      expect(answer).toBe(413);
      expect(sent).toBeLessThan(32 * 2 ** 20);
      const long = await fetch(url, { method: 'POST', body: 'x'.repeat(300_000) });
      expect(long.status).toBe(413);
    });

    it("carries the driver's lists and lines, and answers 403 to the rest", async () => {
      const { port } = guard.address() as AddressInfo;
      await expect(new DockerHost(`tcp://127.0.0.1:${port}`, 'roost').list()).resolves.toMatchObject({ volumes: [] });
      await expect(new DockerHost(`tcp://127.0.0.1:${port}`, 'another').list()).rejects.toMatchObject({
        statusCode: 403,
      });
      const docker = new Docker({ protocol: 'http', host: '127.0.0.1', port });
      await expect(docker.listImages()).rejects.toMatchObject({ statusCode: 403 });
      const options = { stream: true, stdin: true, stdout: true, hijack: true };
      const line = await docker.getContainer('roost-agent-a1').attach(options);
      line.write('hello there');
      let received = '';
      for await (const chunk of line) {
        received += String(chunk);
        if (received === 'hello there') break;
      }
      expect(received).toBe('hello there');
      await expect(docker.getContainer('postgres').attach(options)).rejects.toThrow();
      expect(asked.filter((call) => /postgres|images/.test(call))).toEqual([]);
    });
  });
});
