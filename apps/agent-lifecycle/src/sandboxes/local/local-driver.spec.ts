import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownCall } from '#lib/call-context';
import { cancelExec, listDirectory, pingWorkspace, readFile, writeFile } from '#lib/contracts';
import { requestOverNats } from '#lib/rpc';
import { bundleProgram } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../../test/drivers/driver-under-test.js';
import {
  bubblewrapRuntime,
  type LocalDriverFixture,
  localDriverFixture,
  processesOf,
} from '../../../test/drivers/local/local-driver-fixture.js';
import { LocalWorkspaceDriver } from './local-driver.js';
import { localRuntimes } from './local-runtimes.js';

/** Holds one workspace until it is killed. */
const driverProgram = 'apps/agent-lifecycle/test/drivers/local/driver-process.ts';
const call = () => ownCall(`req_${randomUUID()}`, 60_000);

let fixture: LocalDriverFixture;
beforeAll(async () => {
  fixture = await localDriverFixture(await bubblewrapRuntime());
});
afterAll(() => fixture?.close());

async function awake(): Promise<string> {
  const { agentId } = specOf();
  await fixture.driver.ensure(specOf({ agentId, volumeBytes: 2 ** 30, env: { MY_SETTING: 'blue' } }));
  return agentId;
}

describe('a local workspace', () => {
  it('keeps files across sleep', async () => {
    const agentId = await awake();
    const written = await requestOverNats(
      fixture.connection,
      writeFile,
      { agentId, path: 'notes/a.txt', content: 'hello', encoding: 'utf-8', overwrite: false },
      call(),
    );
    expect(written).toMatchObject({ path: '/workspace/notes/a.txt', size: 5 });
    await fixture.driver.sleep(agentId);
    await expect(fixture.driver.inspect(agentId)).resolves.toEqual({ state: 'asleep' });
    await fixture.driver.ensure({
      agentId,
      accountId: randomUUID(),
      volumeBytes: 2 ** 30,
      env: {},
      network: { mode: 'none' },
    });
    const read = await requestOverNats(
      fixture.connection,
      readFile,
      { agentId, path: '/workspace/notes/a.txt', encoding: 'utf-8' },
      call(),
    );
    expect(read.content).toBe('hello');
    const listed = await requestOverNats(
      fixture.connection,
      listDirectory,
      { agentId, path: '', recursive: false, limit: 10 },
      call(),
    );
    expect(listed.entries.map(({ name, type }) => [name, type])).toEqual([['notes', 'directory']]);
    await expect(
      requestOverNats(
        fixture.connection,
        writeFile,
        { agentId, path: 'notes/a.txt', content: 'x', encoding: 'utf-8', overwrite: false },
        call(),
      ),
    ).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  it('shows commands no host file, no host user and no way to become root', async () => {
    const agentId = await awake();
    const { stdout, stderr } = await fixture.run(
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
    const { stdout, stderr } = await fixture.run(
      agentId,
      'tr "\\0" " " < /proc/$PPID/cmdline; cat /proc/$PPID/environ; cat /proc/$PPID/maps; ls -la /proc/$PPID/fd; cat /run/roost/node',
    );
    expect(stdout).toMatch(/workspace-daemon.blob $/);
    expect(stderr.match(/Permission denied/g)).toHaveLength(4);
  });

  it('keeps two agents apart', async () => {
    const [one, two] = await Promise.all([awake(), awake()]);
    await fixture.run(one, 'echo secret > /workspace/mine; echo secret > /tmp/mine; (sleep 30 &)');
    const { stdout } = await fixture.run(two, 'ls -a /workspace /tmp; cat /proc/[0-9]*/cmdline | tr "\\0" " "');
    expect(stdout).not.toContain('mine');
    expect(stdout).not.toContain('sleep 30');
  });

  it('ends a command and everything it started when it is cancelled or its time is over', async () => {
    const agentId = await awake();
    const running = fixture.run(agentId, 'setsid sleep 1000 & (trap "" TERM; sleep 1001) & sleep 1002', {
      execId: 'a',
    });
    await expect
      .poll(
        async () => (await requestOverNats(fixture.connection, cancelExec, { agentId, execId: 'a' }, call())).cancelled,
      )
      .toBe(true);
    await expect(running).resolves.toMatchObject({ cancelled: true, timedOut: false });
    await expect(fixture.run(agentId, 'sleep 1003', { timeoutMs: 200 })).resolves.toMatchObject({
      cancelled: false,
      timedOut: true,
      signal: 'SIGTERM',
    });
    const { stdout } = await fixture.run(agentId, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "');
    expect(stdout).not.toMatch(/sleep 100/);
  });

  it('takes away system calls that agents need not have', async () => {
    const agentId = await awake();
    const { stdout } = await fixture.run(
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
    const { stdout } = await fixture.run(agentId, 'echo first; seq 200000; echo last', { maxOutputBytes: 2_000 });
    expect(stdout.length).toBeLessThan(2_100);
    expect(stdout).toMatch(/^first\n1\n[^]*bytes left out[^]*last\n$/);
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
    await Promise.all(Array.from({ length: 10 }, () => fixture.driver.ensure(spec)));
    const first = await requestOverNats(fixture.connection, pingWorkspace, { agentId }, call());
    await fixture.driver.ensure(spec);
    expect((await requestOverNats(fixture.connection, pingWorkspace, { agentId }, call())).bootId).toBe(first.bootId);
    // bubblewrap outside: inside it has become the first process.
    expect(processesOf(agentId)).toBe(1);
  });

  it('leaves nothing behind when it is removed', async () => {
    const agentId = await awake();
    await fixture.run(agentId, 'mkdir -p a/b; echo x > a/b/c; chmod 0 a/b; nohup setsid sleep 2000 >/dev/null 2>&1 &');
    await fixture.driver.remove(agentId);
    expect(readdirSync(join(fixture.dataDir, 'volumes')).filter((name) => name.includes(agentId))).toEqual([]);
    await expect.poll(() => processesOf('sleep\0' + '2000')).toBe(0);
  });

  it('ends with the process that made it, also when that is killed', async () => {
    const agentId = randomUUID();
    const { bus, dataDir, daemonPath } = fixture;
    const driverFile = await bundleProgram(driverProgram, join(dataDir, 'driver-process.mjs'));
    const runtime = { name: 'bubblewrap', bwrap: process.env['ROOST_TEST_BWRAP'], runsc: '' };
    const options = { agentId, runtime, dataDir, natsUrl: bus.url, daemonPath, seed: bus.accountSeed };
    const child = spawn(process.execPath, [driverFile, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    void fixture.run(agentId, 'nohup setsid sleep 2001 & sleep 2001').catch(() => undefined);
    await expect.poll(() => processesOf('sleep\0' + '2001')).toBe(2);
    child.kill('SIGKILL');
    await expect.poll(() => processesOf(agentId) + processesOf('sleep\0' + '2001')).toBe(0);
    await fixture.driver.ensure({
      agentId,
      accountId: randomUUID(),
      volumeBytes: 2 ** 30,
      env: {},
      network: { mode: 'none' },
    });
    await expect(fixture.run(agentId, 'ls -a')).resolves.toMatchObject({ exitCode: 0 });
  });

  it.runIf(process.getuid?.() === 0)('runs as a normal user too, and reports what that does not give', async () => {
    const agentId = randomUUID();
    const uid = 1_234_567;
    const home = mkdtempSync(join(tmpdir(), 'roost-user-'));
    chownSync(home, uid, uid);
    copyFileSync(await bundleProgram(driverProgram, join(fixture.dataDir, 'driver-process.mjs')), join(home, 'd.mjs'));
    copyFileSync(fixture.daemonPath, join(home, 'main.cjs'));
    const options = {
      agentId,
      runtime: { name: 'bubblewrap', bwrap: process.env['ROOST_TEST_BWRAP'], runsc: '' },
      dataDir: home,
      natsUrl: fixture.bus.url,
      daemonPath: join(home, 'main.cjs'),
      seed: fixture.bus.accountSeed,
      // The least that an agent may have: the daemon and a program of Node's must still run.
      resources: { memory: '128Mi' },
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
      const { stdout } = await fixture.run(
        agentId,
        'id -u; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; cat /etc/shadow; ls /proc | grep -c "^[0-9]"; echo kept > f; ls; ulimit -u; ulimit -d; node -p 6*7',
      );
      expect(stdout).toMatch(/^1000\nCapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n\d\d?\nf\n409\n655360\n42\n$/);
      const { stdout: hidden } = await fixture.run(
        agentId,
        'cat /proc/$PPID/environ 2>&1; kill -0 1 2>&1; ls /root 2>&1',
      );
      expect(hidden.match(/Permission denied|No such file/g)?.length).toBeGreaterThanOrEqual(2);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await expect.poll(() => processesOf(agentId)).toBe(0);
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('names what to do when there is no bubblewrap', async () => {
    const without = new LocalWorkspaceDriver({
      runtime: await localRuntimes.bubblewrap({ bwrap: undefined, runsc: '' }),
      dataDir: fixture.dataDir,
      natsUrl: fixture.bus.url,
      daemonPath: '/nowhere',
      nats: fixture.connection,
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
