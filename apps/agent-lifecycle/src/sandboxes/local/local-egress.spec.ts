import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import {
  bubblewrapRuntime,
  type LocalDriverFixture,
  localDriverFixture,
} from '../../../test/drivers/local/local-driver-fixture.js';
import type { NetworkPolicy } from '../workspace-driver.js';

let fixture: LocalDriverFixture;
beforeAll(async () => {
  fixture = await localDriverFixture(await bubblewrapRuntime(), { egressAllowedRanges: ['127.1.0.0/16'] });
});
afterAll(() => fixture?.close());

describe('a local workspace reaches the outside through the proxy only', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((request, response) => {
      request.on('data', () => undefined);
      request.on('end', () => response.end(`${request.method} ${request.url} via ${request.headers.host}`));
    });
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => server.close());

  async function agentWith(network: NetworkPolicy): Promise<string> {
    const agentId = randomUUID();
    await fixture.driver.ensure({ ...specOf({ agentId }), network });
    return agentId;
  }

  it('when its mode is public, plain and by CONNECT, and leaves an entry', async () => {
    const agentId = await agentWith({ mode: 'public' });
    // Not NO_PROXY's 127.0.0.1: that would be the sandbox itself.
    const plain = await fixture.run(agentId, `curl -sS http://127.1.2.3:${port}/a`);
    expect(plain).toMatchObject({ stdout: `GET /a via 127.1.2.3:${port}`, exitCode: 0 });
    const tunnel = await fixture.run(agentId, `curl -sSp -d x=1 http://127.1.2.3:${port}/b`);
    expect(tunnel.stdout).toBe(`POST /b via 127.1.2.3:${port}`);
    await expect
      .poll(() => fixture.driver.networkLog(agentId, 10))
      .toMatchObject([
        { method: 'CONNECT', host: '127.1.2.3', port, verdict: 'allowed' },
        { method: 'GET', verdict: 'allowed' },
      ]);
  });

  it('and never an address that the guard refuses, in whatever form it is written', async () => {
    const agentId = await agentWith({ mode: 'public' });
    // All of them are this machine, where a server listens that would answer.
    for (const host of ['127.0.0.1', '127.0.0.2', '[::ffff:127.0.0.1]', '0x7f000002', '2130706434', '0177.0.0.2']) {
      const { stdout } = await fixture.run(
        agentId,
        `curl -sS --noproxy '' http://${host}:${port}/; curl -sSp --noproxy '' -o /dev/null -w '%{http_connect}' http://${host}:${port}/ 2>/dev/null`,
      );
      expect(stdout, host).toMatch(/^Roost: .* loopback address, which may not be called\.\n403$/);
    }
    expect((await fixture.driver.networkLog(agentId, 100)).every(({ verdict }) => verdict === 'refused')).toBe(true);
  });

  it('or by its allowlist, which counts at once when it changes', async () => {
    const agentId = await agentWith({ mode: 'allowlist', allow: ['api.example.org'] });
    const refused = await fixture.run(agentId, `curl -sS http://127.1.2.3:${port}/`);
    expect(refused.stdout).toContain('not on this agent’s allowlist'.replace('’', "'"));
    expect(refused.stdout).toContain('configuration.network');
    await fixture.driver.ensure({
      ...specOf({ agentId }),
      network: { mode: 'allowlist', allow: [`127.1.2.3:${port}`] },
    });
    expect((await fixture.run(agentId, `curl -sS http://127.1.2.3:${port}/`)).stdout).toMatch(/^GET/);
  });

  it('or not at all', async () => {
    const agentId = await agentWith({ mode: 'none' });
    const { stdout } = await fixture.run(
      agentId,
      `curl -sS http://127.1.2.3:${port}/; curl -sS --noproxy '*' --max-time 2 http://127.1.2.3:${port}/ 2>&1; cat /proc/net/route`,
    );
    expect(stdout).toContain('no network (mode "none")');
    expect(stdout).toMatch(/Failed to connect|Couldn't connect/);
  });
});
