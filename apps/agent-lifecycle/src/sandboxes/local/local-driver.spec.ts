import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownCall } from '#lib/call-context';
import { accountCredentials, workspaceCredentials } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { cancelExec, execCommand, listDirectory, pingWorkspace, readFile, writeFile } from '#lib/contracts';
import { bundleProgram } from '#lib/testing';
import { findBubblewrap } from '../../../../../tools/launcher/bubblewrap.js';
import { type Nats, startNats } from '../../../../../tools/launcher/nats.js';
import type { NetworkPolicy, WorkspaceSpec } from '../workspace-driver.js';
import { LocalWorkspaceDriver } from './local-driver.js';
import { localRuntimes } from './local-runtimes.js';

let dataDir: string;
let bwrapPath: string | undefined;
let nats: Nats;
let connection: NatsConnection;
let driver: LocalWorkspaceDriver;
const call = () => ownCall(`req_${randomUUID()}`, 60_000);

async function awake(): Promise<string> {
  const agentId = randomUUID();
  await driver.ensure({
    agentId,
    accountId: randomUUID(),
    volumeBytes: 2 ** 30,
    env: { MY_SETTING: 'blue' },
    network: { mode: 'none' },
  });
  return agentId;
}

function specOf(agentId: string): WorkspaceSpec {
  return { agentId, accountId: randomUUID(), volumeBytes: 2 ** 30, env: {}, network: { mode: 'none' } };
}

function run(
  agentId: string,
  command: string,
  options: { timeoutMs?: number; execId?: string; maxOutputBytes?: number } = {},
) {
  return requestOverNats(
    connection,
    execCommand,
    { agentId, execId: randomUUID(), command, timeoutMs: 20_000, maxOutputBytes: 30_000, ...options },
    call(),
  );
}

function bundle(entry: string, ending = '.mjs'): Promise<string> {
  return bundleProgram(entry, join(dataDir, basename(entry).replace(/\.ts$/, ending)));
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'roost-local-'));
  const daemonPath = await bundle('apps/workspace/src/main.ts', '.cjs');
  nats = await startNats({ dataDir, log: () => undefined });
  const seed = nats.accounts[0]?.seed ?? '';
  connection = await connect({
    servers: nats.url,
    authenticator: credsAuthenticator(new TextEncoder().encode(await accountCredentials(seed, 'test'))),
  });
  bwrapPath = (await findBubblewrap(() => undefined)).path;
  driver = new LocalWorkspaceDriver({
    runtime: await localRuntimes.bubblewrap({ bwrap: bwrapPath, runsc: '' }),
    dataDir,
    natsUrl: nats.url,
    daemonPath,
    nats: connection,
    mintCredentials: (agentId) => workspaceCredentials(seed, agentId, { ttlSeconds: 3_600 }),
    egressAllowedRanges: ['127.1.0.0/16'],
    logger: { warn: (fields) => console.warn(fields), info: () => undefined },
  });
});

afterAll(async () => {
  await driver?.close();
  await connection?.close();
  await nats?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('a local workspace', () => {
  it('keeps files across sleep', async () => {
    const agentId = await awake();
    const written = await requestOverNats(
      connection,
      writeFile,
      { agentId, path: 'notes/a.txt', content: 'hello', encoding: 'utf-8', overwrite: false },
      call(),
    );
    expect(written).toMatchObject({ path: '/workspace/notes/a.txt', size: 5 });
    await driver.sleep(agentId);
    await expect(driver.inspect(agentId)).resolves.toEqual({ state: 'asleep' });
    await driver.ensure({ agentId, accountId: randomUUID(), volumeBytes: 2 ** 30, env: {}, network: { mode: 'none' } });
    const read = await requestOverNats(
      connection,
      readFile,
      { agentId, path: '/workspace/notes/a.txt', encoding: 'utf-8' },
      call(),
    );
    expect(read.content).toBe('hello');
    const listed = await requestOverNats(
      connection,
      listDirectory,
      { agentId, path: '', recursive: false, limit: 10 },
      call(),
    );
    expect(listed.entries.map(({ name, type }) => [name, type])).toEqual([['notes', 'directory']]);
    await expect(
      requestOverNats(
        connection,
        writeFile,
        { agentId, path: 'notes/a.txt', content: 'x', encoding: 'utf-8', overwrite: false },
        call(),
      ),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('shows commands no host file, no host user and no way to become root', async () => {
    const agentId = await awake();
    const { stdout, stderr } = await run(
      agentId,
      'id -u; ls /; cat /etc/shadow; ls /root; ls /home; ls /sys; echo $MY_SETTING; env | grep -i -E "nats|roost_|creds" | grep -v EXEC_ID; touch /usr/x /etc/x /x; ls /workspace',
    );
    expect(stdout.split('\n')[0]).toBe('1000');
    expect(stdout).toContain('blue');
    expect(stdout).not.toMatch(/root|home|sys|var/);
    expect(stderr).toMatch(/\/etc\/shadow: No such file/);
    expect(stderr).toMatch(/\/root'?: No such file/);
    expect(stderr.match(/Read-only file system/g)).toHaveLength(3);
  });

  it('hides the daemon that holds the bus credentials from the commands it runs', async () => {
    const agentId = await awake();
    const { stdout, stderr } = await run(
      agentId,
      'tr "\\0" " " < /proc/$PPID/cmdline; cat /proc/$PPID/environ; cat /proc/$PPID/maps; ls -la /proc/$PPID/fd; cat /run/roost/node',
    );
    expect(stdout).toMatch(/workspace-daemon.blob $/);
    expect(stderr.match(/Permission denied/g)).toHaveLength(4);
  });

  it('keeps two agents apart', async () => {
    const [one, two] = await Promise.all([awake(), awake()]);
    await run(one, 'echo secret > /workspace/mine; echo secret > /tmp/mine; (sleep 30 &)');
    const { stdout } = await run(two, 'ls -a /workspace /tmp; cat /proc/[0-9]*/cmdline | tr "\\0" " "');
    expect(stdout).not.toContain('mine');
    expect(stdout).not.toContain('sleep 30');
  });

  it('ends a command and everything it started when it is cancelled or its time is over', async () => {
    const agentId = await awake();
    const running = run(agentId, 'setsid sleep 1000 & (trap "" TERM; sleep 1001) & sleep 1002', { execId: 'a' });
    await expect
      .poll(async () => (await requestOverNats(connection, cancelExec, { agentId, execId: 'a' }, call())).cancelled)
      .toBe(true);
    await expect(running).resolves.toMatchObject({ cancelled: true, timedOut: false });
    await expect(run(agentId, 'sleep 1003', { timeoutMs: 200 })).resolves.toMatchObject({
      cancelled: false,
      timedOut: true,
      signal: 'SIGTERM',
    });
    const { stdout } = await run(agentId, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "');
    expect(stdout).not.toMatch(/sleep 100/);
  });

  it('takes away system calls that agents need not have', async () => {
    const agentId = await awake();
    const { stdout } = await run(
      agentId,
      `unshare -Ur id; mount -t tmpfs x /tmp; python3 -c 'import socket; socket.socket(40, 1)'; node -e "console.log(process.version)"; grep -E 'Seccomp:|NoNewPrivs|CapEff' /proc/self/status; ulimit -u` +
        ' 2>&1',
    );
    expect(stdout).toMatch(/Seccomp:\t2/);
    expect(stdout).toMatch(/NoNewPrivs:\t1/);
    expect(stdout).toMatch(/CapEff:\t0+\n/);
  });

  it('keeps the head and the tail of a long output', async () => {
    const agentId = await awake();
    const { stdout } = await run(agentId, 'echo first; seq 200000; echo last', { maxOutputBytes: 2_000 });
    expect(stdout.length).toBeLessThan(2_100);
    expect(stdout).toMatch(/^first\n1\n[^]*bytes left out[^]*last\n$/);
  });

  describe('holds its volume to its size', () => {
    const small = (agentId: string, mebibytes: number) => ({ ...specOf(agentId), volumeBytes: mebibytes * 2 ** 20 });
    const put = (agentId: string, bytes: number) =>
      requestOverNats(
        connection,
        writeFile,
        { agentId, path: 'f', content: 'x'.repeat(bytes), encoding: 'utf-8', overwrite: true },
        call(),
      );

    it('against commands and the API alike, and grows with it', async () => {
      const agentId = randomUUID();
      await driver.ensure(small(agentId, 16));
      const { stderr } = await run(agentId, 'for i in 1 2 3 4; do dd if=/dev/zero of=f$i bs=1M count=8; done');
      expect(stderr).toMatch(/No space left|Roost: the volume is full/);
      await expect(put(agentId, 500_000)).rejects.toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
      await driver.sleep(agentId);
      await driver.ensure(small(agentId, 64));
      await expect(put(agentId, 500_000)).resolves.toMatchObject({ size: 500_000 });
      await run(agentId, 'rm f*; echo kept > g');
      await driver.sleep(agentId);
      await driver.ensure(small(agentId, 64));
      await expect(run(agentId, 'ls; cat g')).resolves.toMatchObject({ stdout: 'g\nkept\n' });
    });

    it('by measuring where the volume is a folder, with a warning', async () => {
      const agentId = randomUUID();
      // A folder with content, as an earlier Roost left it.
      mkdirSync(join(dataDir, 'volumes', agentId));
      writeFileSync(join(dataDir, 'volumes', agentId, 'old'), 'old', { mode: 0o644 });
      await driver.ensure(small(agentId, 16));
      const filled = await run(agentId, 'cat old; while :; do head -c 1000000 /dev/zero >> more$((i++ / 4)); done');
      expect(filled).toMatchObject({ stdout: 'old', stderr: expect.stringContaining('Roost: the volume is full') });
      await expect(put(agentId, 500_000)).rejects.toMatchObject({ code: 'INSUFFICIENT_STORAGE' });
      // Nothing may grow, but files can be deleted.
      await expect(run(agentId, 'echo x > y; rm more*')).resolves.toMatchObject({ exitCode: 0 });
      await expect
        .poll(
          () =>
            put(agentId, 100_000).then(
              ({ size }) => size,
              () => 0,
            ),
          { timeout: 10_000 },
        )
        .toBe(100_000);
      await expect(driver.isolation()).resolves.toMatchObject({ volumes: expect.stringMatching(/image|measured/) });
    });
  });

  it('makes one workspace for many callers at once', async () => {
    const agentId = randomUUID();
    const spec = {
      agentId,
      accountId: randomUUID(),
      volumeBytes: 2 ** 30,
      env: {},
      network: { mode: 'none' as const },
    };
    await Promise.all(Array.from({ length: 10 }, () => driver.ensure(spec)));
    const first = await requestOverNats(connection, pingWorkspace, { agentId }, call());
    await driver.ensure(spec);
    expect((await requestOverNats(connection, pingWorkspace, { agentId }, call())).bootId).toBe(first.bootId);
    // bubblewrap outside: inside it has become the first process.
    expect(processesOf(agentId)).toBe(1);
  });

  describe('reaches the outside through the proxy only', () => {
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
      await driver.ensure({ ...specOf(agentId), network });
      return agentId;
    }

    it('when its mode is public, plain and by CONNECT, and leaves an entry', async () => {
      const agentId = await agentWith({ mode: 'public' });
      // Not NO_PROXY's 127.0.0.1: that would be the sandbox itself.
      const plain = await run(agentId, `curl -sS http://127.1.2.3:${port}/a`);
      expect(plain).toMatchObject({ stdout: `GET /a via 127.1.2.3:${port}`, exitCode: 0 });
      const tunnel = await run(agentId, `curl -sSp -d x=1 http://127.1.2.3:${port}/b`);
      expect(tunnel.stdout).toBe(`POST /b via 127.1.2.3:${port}`);
      await expect
        .poll(() => driver.networkLog(agentId, 10))
        .toMatchObject([
          { method: 'CONNECT', host: '127.1.2.3', port, verdict: 'allowed' },
          { method: 'GET', verdict: 'allowed' },
        ]);
    });

    it('and never an address that the guard refuses, in whatever form it is written', async () => {
      const agentId = await agentWith({ mode: 'public' });
      // All of them are this machine, where a server listens that would answer.
      for (const host of ['127.0.0.1', '127.0.0.2', '[::ffff:127.0.0.1]', '0x7f000002', '2130706434', '0177.0.0.2']) {
        const { stdout } = await run(
          agentId,
          `curl -sS --noproxy '' http://${host}:${port}/; curl -sSp --noproxy '' -o /dev/null -w '%{http_connect}' http://${host}:${port}/ 2>/dev/null`,
        );
        expect(stdout, host).toMatch(/^Roost: .* loopback address, which may not be called\.\n403$/);
      }
      expect((await driver.networkLog(agentId, 100)).every(({ verdict }) => verdict === 'refused')).toBe(true);
    });

    it('or by its allowlist, which counts at once when it changes', async () => {
      const agentId = await agentWith({ mode: 'allowlist', allow: ['api.example.org'] });
      const refused = await run(agentId, `curl -sS http://127.1.2.3:${port}/`);
      expect(refused.stdout).toContain('not on this agent’s allowlist'.replace('’', "'"));
      expect(refused.stdout).toContain('configuration.network');
      await driver.ensure({ ...specOf(agentId), network: { mode: 'allowlist', allow: [`127.1.2.3:${port}`] } });
      expect((await run(agentId, `curl -sS http://127.1.2.3:${port}/`)).stdout).toMatch(/^GET/);
    });

    it('or not at all', async () => {
      const agentId = await agentWith({ mode: 'none' });
      const { stdout } = await run(
        agentId,
        `curl -sS http://127.1.2.3:${port}/; curl -sS --noproxy '*' --max-time 2 http://127.1.2.3:${port}/ 2>&1; cat /proc/net/route`,
      );
      expect(stdout).toContain('no network (mode "none")');
      expect(stdout).toMatch(/Failed to connect|Couldn't connect/);
    });
  });

  it('leaves nothing behind when it is removed', async () => {
    const agentId = await awake();
    await run(agentId, 'mkdir -p a/b; echo x > a/b/c; chmod 0 a/b; nohup setsid sleep 2000 >/dev/null 2>&1 &');
    await driver.remove(agentId);
    expect(readdirSync(join(dataDir, 'volumes')).filter((name) => name.includes(agentId))).toEqual([]);
    await expect.poll(() => processesOf('sleep\0' + '2000')).toBe(0);
  });

  it('ends with the process that made it, also when that is killed', async () => {
    const agentId = randomUUID();
    const seed = nats.accounts[0]?.seed ?? '';
    const driverFile = await bundle('apps/agent-lifecycle/test/drivers/local/driver-process.ts');
    const runtime = { name: 'bubblewrap', bwrap: bwrapPath, runsc: '' };
    const options = { agentId, runtime, dataDir, natsUrl: nats.url, daemonPath: join(dataDir, 'main.cjs'), seed };
    const child = spawn(process.execPath, [driverFile, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    void run(agentId, 'nohup setsid sleep 2001 & sleep 2001').catch(() => undefined);
    await expect.poll(() => processesOf('sleep\0' + '2001')).toBe(2);
    child.kill('SIGKILL');
    await expect.poll(() => processesOf(agentId) + processesOf('sleep\0' + '2001')).toBe(0);
    await driver.ensure({ agentId, accountId: randomUUID(), volumeBytes: 2 ** 30, env: {}, network: { mode: 'none' } });
    await expect(run(agentId, 'ls -a')).resolves.toMatchObject({ exitCode: 0 });
  });

  it.runIf(process.getuid?.() === 0)('runs as a normal user too, and reports what that does not give', async () => {
    const agentId = randomUUID();
    const uid = 1_234_567;
    const home = mkdtempSync(join(tmpdir(), 'roost-user-'));
    chownSync(home, uid, uid);
    copyFileSync(await bundle('apps/agent-lifecycle/test/drivers/local/driver-process.ts'), join(home, 'd.mjs'));
    copyFileSync(join(dataDir, 'main.cjs'), join(home, 'main.cjs'));
    const options = {
      agentId,
      runtime: { name: 'bubblewrap', bwrap: bwrapPath, runsc: '' },
      dataDir: home,
      natsUrl: nats.url,
      daemonPath: join(home, 'main.cjs'),
      seed: nats.accounts[0]?.seed ?? '',
    };
    const child = spawn(process.execPath, [join(home, 'd.mjs'), JSON.stringify(options)], {
      uid,
      gid: uid,
      cwd: home,
      env: { PATH: process.env['PATH'] ?? '', HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [output] = (await once(child.stdout, 'data')) as [Buffer];
      expect(output.toString()).toMatch(/^awake .*"limits":"per process".*"volumes":"measured"/);
      const { stdout } = await run(
        agentId,
        'id -u; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; cat /etc/shadow; ls /proc | grep -c "^[0-9]"; echo kept > f; ls; ulimit -u; ulimit -d',
      );
      expect(stdout).toMatch(/^1000\nCapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n\d\d?\nf\n409\n1048576\n$/);
      const { stdout: hidden } = await run(agentId, 'cat /proc/$PPID/environ 2>&1; kill -0 1 2>&1; ls /root 2>&1');
      expect(hidden.match(/Permission denied|No such file/g)?.length).toBeGreaterThanOrEqual(2);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await expect.poll(() => processesOf(agentId), { timeout: 10_000 }).toBe(0);
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('names what to do when there is no bubblewrap', async () => {
    const without = new LocalWorkspaceDriver({
      runtime: await localRuntimes.bubblewrap({ bwrap: undefined, runsc: '' }),
      dataDir,
      natsUrl: nats.url,
      daemonPath: '/nowhere',
      nats: connection,
      mintCredentials: () => Promise.resolve(''),
      logger: { warn: () => undefined, info: () => undefined },
    });
    const agentId = randomUUID();
    await expect(
      without.ensure({ agentId, accountId: agentId, volumeBytes: 1, env: {}, network: { mode: 'none' } }),
    ).rejects.toMatchObject({
      code: 'AGENT_UNAVAILABLE',
      message: expect.stringContaining('bubblewrap is not installed'),
    });
    await expect(without.inspect(agentId)).resolves.toMatchObject({ state: 'failed' });
  });
});

/** Host processes whose command line holds the text. bubblewrap's arguments name the agent. */
function processesOf(text: string): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  }).length;
}
