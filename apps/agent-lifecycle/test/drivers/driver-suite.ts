import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownCall, requestOverNats } from '#lib/bus/rpc';
import { execCommand, pingWorkspace, readFile, writeFile } from '#lib/contracts';
import { until } from '#lib/testing';
import { answersPing } from '../../src/sandboxes/answers-ping.js';
import type { WorkspaceDriver, WorkspaceSpec } from '../../src/sandboxes/workspace-driver.js';
import { specOf } from './workspace-spec.js';

/** A driver on a bus of its own, as the suite meets it. */
export interface DriverUnderTest {
  driver: WorkspaceDriver;
  /** With a service's credentials. */
  connection: NatsConnection;
  /** Another driver on the same workspaces, as after a restart of the service. The suite closes it. */
  another?(): WorkspaceDriver;
  /** The other driver may work on them at the same time, as two replicas of the service do. */
  isShared?: boolean;
  /** Ends the workspace as a crash would: its daemon is gone, and nobody asked for it. */
  crash(agentId: string): Promise<void>;
  /** The platform starts a crashed workspace again by itself. */
  mendsItself?: boolean;
  /** Closes the driver and what it ran on. */
  close(): Promise<void>;
}

export interface DriverSuiteOptions {
  /** False where workspaces are doubles without a kernel around them: what needs a wall is then left out. */
  isWalled: boolean;
  /** True where workspaces reach the egress proxy though they have no wall. */
  hasProxy?: boolean;
  /** Whose kernel the wall is; by default Linux'. */
  kernel?: 'gVisor';
}

/**
 * What gVisor shows everybody of every process: its environment, which holds nothing secret, addresses, and names of
 * handles. What these lead to it opens for who may open that itself, which here is the agent's own.
 */
const openedInGvisor = / (environ|auxv|maps|smaps|fd|fdinfo|handle \d+ (\/dev\/null|\/workspace(\/.*)?))$/;

/**
 * In lines, which processes were looked at and what of them could be opened: all but those of the command itself, the
 * first process and the daemon among them.
 */
const openedOfOthers = `perl -MFcntl -e '
  for (my $own = $$; $own > 1;) { # from here up to the daemon, whose child the command is
    open(S, "<", "/proc/$own/status") or last; my ($parent) = join("", <S>) =~ /PPid:\\s+(\\d+)/;
    $own == $ENV{DAEMON} and last; $own{$own} = 1; $own = $parent;
  }
  for my $pid (grep { !$own{$_} } map { /(\\d+)/ } glob("/proc/[0-9]*")) {
    open(C, "<", "/proc/$pid/comm"); chomp($name = <C>); push @looked, "$pid $name";
    for my $file (qw(mem environ auxv maps smaps numa_maps pagemap stack syscall personality)) {
      for my $mode (O_RDONLY, O_WRONLY, O_RDWR) {
        sysopen(F, "/proc/$pid/$file", $mode) or next;
        push @opened, "$pid $file" if $mode != O_RDONLY || sysread(F, $x, 1);
      }
      sysopen(F, "/proc/$pid/task/$pid/$file", O_RDWR) and push @opened, "$pid task $file";
    }
    for my $folder (qw(fd fdinfo map_files ns)) { opendir(D, "/proc/$pid/$folder") and push @opened, "$pid $folder" }
    for my $link (qw(cwd exe root)) { defined readlink("/proc/$pid/$link") and push @opened, "$pid $link" }
    for my $fd (0 .. 30) { for my $mode (O_RDONLY, O_WRONLY) {
      sysopen(F, "/proc/$pid/fd/$fd", $mode | O_NONBLOCK)
        and push @opened, "$pid handle $fd " . readlink("/proc/$pid/fd/$fd");
    } }
  }
  print map { "looked $_\\n" } @looked; print map { "opened $_\\n" } @opened;'`;

/** What `WorkspaceDriver` promises, tried on a driver. `make` is called once. */
export function describeDriver(name: string, options: DriverSuiteOptions, make: () => Promise<DriverUnderTest>): void {
  describe(`${name}, as every driver,`, () => {
    let under: DriverUnderTest;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(() => under?.close());

    const call = () => ownCall(`req_${randomUUID()}`, 30_000);
    const awake = async (more: Partial<WorkspaceSpec> = {}) => {
      const spec = specOf(more);
      await under.driver.ensure(spec);
      return spec;
    };
    const bootId = async (agentId: string) =>
      (await requestOverNats(under.connection, pingWorkspace, { agentId }, call())).bootId;
    const put = (agentId: string, content: string) =>
      requestOverNats(
        under.connection,
        writeFile,
        { agentId, path: 'kept.txt', content, encoding: 'utf-8', overwrite: true },
        call(),
      );
    const get = async (agentId: string) =>
      (await requestOverNats(under.connection, readFile, { agentId, path: 'kept.txt', encoding: 'utf-8' }, call()))
        .content;
    const listed = async (agentId: string) =>
      (await under.driver.list()).filter((found) => found.agentId === agentId).map(({ state }) => state);

    it('makes a workspace that answers, puts it to sleep and wakes it with its files', async () => {
      const spec = await awake();
      const { agentId } = spec;
      await expect(under.driver.inspect(agentId)).resolves.toEqual({ state: 'running' });
      await put(agentId, 'hello');
      await under.driver.sleep(agentId);
      expect(await answersPing(under.connection, agentId)).toBe(false);
      await expect(under.driver.inspect(agentId)).resolves.toEqual({ state: 'asleep' });
      expect(await listed(agentId)).toEqual(['asleep']);
      await under.driver.ensure(spec);
      await expect(get(agentId)).resolves.toBe('hello');
      expect(await listed(agentId)).toEqual(['running']);
    });

    it('makes one workspace for many callers at once, and leaves it alone when it is asked again', async () => {
      const spec = specOf();
      await Promise.all(Array.from({ length: 10 }, () => under.driver.ensure(spec)));
      const first = await bootId(spec.agentId);
      await under.driver.ensure(spec);
      await expect(bootId(spec.agentId)).resolves.toBe(first);
      expect(await listed(spec.agentId)).toEqual(['running']);
    });

    it('sleeps when it is told so in the middle of a start', async () => {
      const spec = specOf();
      const start = under.driver.ensure(spec).catch(() => undefined);
      await under.driver.sleep(spec.agentId);
      await start;
      await under.driver.sleep(spec.agentId);
      expect(await answersPing(under.connection, spec.agentId)).toBe(false);
    });

    it('removes a workspace with its files for good, asleep or not, as often as it is asked', async () => {
      const specs = await Promise.all([awake(), awake()]);
      for (const { agentId } of specs) await put(agentId, 'old');
      await under.driver.sleep(specs[0].agentId);
      for (const spec of specs) {
        await under.driver.remove(spec.agentId);
        await under.driver.remove(spec.agentId);
        expect(await answersPing(under.connection, spec.agentId)).toBe(false);
        expect(await listed(spec.agentId)).toEqual([]);
      }
      await under.driver.ensure(specs[0]);
      await expect(get(specs[0].agentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('knows nothing of an agent it never saw, and harms nothing when it is told to end it', async () => {
      const agentId = randomUUID();
      await expect(under.driver.inspect(agentId)).resolves.toEqual({ state: 'asleep' });
      await under.driver.sleep(agentId);
      await under.driver.remove(agentId);
      expect(await listed(agentId)).toEqual([]);
      await expect(under.driver.networkLog(agentId, 10)).resolves.toEqual([]);
    });

    it('sees a crashed workspace as no longer running and brings it back with its files', async () => {
      const spec = await awake();
      const first = await bootId(spec.agentId);
      await put(spec.agentId, 'kept');
      await under.crash(spec.agentId);
      await until('it is seen', async () => (await under.driver.inspect(spec.agentId)).state !== 'running');
      await under.driver.ensure(spec);
      await expect(get(spec.agentId)).resolves.toBe('kept');
      expect(await bootId(spec.agentId)).not.toBe(first);
    });

    it('tells a workspace that crashed from one that was put to sleep', async () => {
      const spec = await awake();
      await under.crash(spec.agentId);
      await until('it is seen', async () => (await under.driver.inspect(spec.agentId)).state !== 'running');
      const { state } = await under.driver.inspect(spec.agentId);
      // Where the platform starts it again by itself it is never seen as failed.
      expect(['failed', ...(under.mendsItself ? ['starting', 'running'] : [])]).toContain(state);
      await under.driver.ensure(spec);
      await under.driver.sleep(spec.agentId);
      await expect(under.driver.inspect(spec.agentId)).resolves.toEqual({ state: 'asleep' });
    });

    describe('with another replica of the service', () => {
      const inTwo = async (act: (one: WorkspaceDriver, two: WorkspaceDriver) => Promise<void>) => {
        if (!under.isShared || !under.another) return;
        const two = under.another();
        await act(under.driver, two).finally(() => two.close());
      };

      it('makes one workspace when both are asked at once', () =>
        inTwo(async (one, two) => {
          for (let round = 0; round < (options.isWalled ? 5 : 1); round += 1) {
            const specs = Array.from({ length: 3 }, () => specOf());
            await Promise.all(specs.flatMap((spec) => [one.ensure(spec), two.ensure(spec)]));
            for (const { agentId } of specs) {
              const first = await bootId(agentId);
              await Promise.all([one.ensure(specOf({ agentId })), two.ensure(specOf({ agentId }))]);
              expect(await bootId(agentId)).toBe(first);
            }
          }
        }));

      it('sees what the other one put to sleep as asleep, and wakes it', () =>
        inTwo(async (one, two) => {
          const spec = await awake();
          await put(spec.agentId, 'kept');
          await two.sleep(spec.agentId);
          await until('it sleeps', async () => (await one.inspect(spec.agentId)).state === 'asleep');
          await Promise.all([two.ensure(spec), one.ensure(spec)]);
          await expect(get(spec.agentId)).resolves.toBe('kept');
          await one.sleep(spec.agentId);
          await until('it sleeps', async () => (await two.inspect(spec.agentId)).state === 'asleep');
        }));

      it('wakes what the other one puts to sleep in the middle of its start', { timeout: 40_000 }, () =>
        inTwo(async (one, two) => {
          for (let round = 0; round < 3; round += 1) {
            const spec = specOf();
            const waking = one.ensure(spec);
            await until('it starts', async () => (await two.inspect(spec.agentId)).state !== 'asleep');
            await Promise.all([waking, two.sleep(spec.agentId)]);
          }
        }),
      );

      it('wakes and puts to sleep against each other, and is left with one that can be used', () =>
        inTwo(async (one, two) => {
          const spec = specOf();
          const acts = [one, two].flatMap((driver) => [
            () => driver.ensure(spec).catch(() => undefined),
            () => driver.sleep(spec.agentId),
            () => driver.ensure(spec).catch(() => undefined),
          ]);
          await Promise.all(acts.map((act) => act()));
          await Promise.all([one.ensure(spec), two.ensure(spec)]);
          await put(spec.agentId, 'there');
          await expect(get(spec.agentId)).resolves.toBe('there');
          await two.remove(spec.agentId);
          expect(await listed(spec.agentId)).toEqual([]);
        }));
    });

    it('keeps two agents apart', async () => {
      const [one, two] = await Promise.all([awake(), awake()]);
      await put(one.agentId, 'mine');
      await expect(get(two.agentId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await bootId(one.agentId)).not.toBe(await bootId(two.agentId));
    });

    it('says in words how workspaces are held apart', async () => {
      const isolation = await under.driver.isolation();
      expect(isolation).toMatchObject({ runtime: expect.any(String), volumes: expect.any(String) });
      expect(under.driver.whyNever).toBeUndefined();
    });

    it('finds the volumes again after a restart and puts everything to sleep when it is closed', async () => {
      if (!under.another) return;
      const spec = await awake();
      await put(spec.agentId, 'before');
      await under.driver.sleep(spec.agentId);
      const next = under.another();
      expect((await next.list()).map(({ agentId }) => agentId)).toContain(spec.agentId);
      await next.ensure(spec);
      await expect(get(spec.agentId)).resolves.toBe('before');
      await next.close();
      await until('it sleeps', async () => !(await answersPing(under.connection, spec.agentId)));
      await expect(next.ensure(specOf())).rejects.toMatchObject({ code: 'AGENT_UNAVAILABLE' });
    });

    const run = async (agentId: string, command: string) => {
      const input = { agentId, execId: randomUUID(), command, timeoutMs: 20_000, maxOutputBytes: 30_000 };
      return requestOverNats(under.connection, execCommand, input, call());
    };

    it.runIf(options.isWalled || options.hasProxy)(
      'refuses what an agent may not reach, changes that at once, and keeps a log of it',
      async () => {
        const spec = await awake();
        const { stdout } = await run(spec.agentId, 'curl -sS http://127.1.2.3:65535/');
        expect(stdout).toContain('no network (mode "none")');
        await under.driver.ensure({ ...spec, network: { mode: 'public' } });
        expect((await run(spec.agentId, 'curl -sS http://127.1.2.3:65535/')).stdout).toContain('may not be called');
        await until('both are noted', async () => (await under.driver.networkLog(spec.agentId, 10)).length === 2);
      },
    );

    describe.runIf(options.isWalled)('by a wall', () => {
      const isGvisor = options.kernel === 'gVisor';

      it('gives commands their environment, no privilege, one writable folder and no network', async () => {
        const { agentId } = await awake({ env: { MY_SETTING: 'blue' } });
        const { stdout, stderr } = await run(
          agentId,
          'id -u; echo $MY_SETTING; pwd; grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status; ' +
            'tail -n +2 /proc/net/route; env | grep -iE "nats|creds"; touch /usr/x /etc/x /x; echo fine > f; cat f',
        );
        // gVisor's /proc has no such line.
        const noNewPrivileges = isGvisor ? '' : 'NoNewPrivs:\t1\n';
        expect(stdout).toBe(`1000\nblue\n/workspace\nCapEff:\t0000000000000000\n${noNewPrivileges}Seccomp:\t2\nfine\n`);
        expect(stderr.match(isGvisor ? /Permission denied/g : /Read-only file system/g)).toHaveLength(3);
      });

      it.skipIf(isGvisor)('hides the daemon, its handles and its line to the host from the commands', async () => {
        const { agentId } = await awake();
        const { stdout, stderr } = await run(
          agentId,
          'cat /proc/$PPID/environ; ls /proc/$PPID/fd; cat /proc/$PPID/maps',
        );
        expect(stdout).toBe('');
        expect(stderr.match(/Permission denied/g)).toHaveLength(3);
      });

      it('opens no memory, handle or environment of a process that is not a command, the first one included', async () => {
        const { agentId } = await awake();
        const { stdout } = await run(agentId, `DAEMON=$PPID; export DAEMON; ${openedOfOthers}`);
        const lines = stdout.split('\n');
        expect(lines.filter((line) => line.startsWith('looked ')).length).toBeGreaterThanOrEqual(2);
        expect(lines).toContainEqual(expect.stringMatching(/^looked 1 /));
        const opened = lines.filter((line) => line.startsWith('opened '));
        expect(opened.filter((file) => !isGvisor || !openedInGvisor.test(file))).toEqual([]);
      });

      // Its environment and the names of its handles are shown: gVisor asks nothing but who the user is.
      it.runIf(isGvisor)("keeps commands from the daemon's memory and its line to the host", async () => {
        const { agentId } = await awake();
        const { stdout, stderr } = await run(
          agentId,
          'dd if=/proc/$PPID/mem bs=1 skip=4194304 count=1; cat /proc/$PPID/fd/0; echo x > /proc/$PPID/fd/1; ' +
            'tr "\\0" "\\n" < /proc/$PPID/environ | cut -d= -f1 | grep -vE "^(HOME|PWD|OLDPWD|_)$" | sort',
        );
        expect(stdout).toBe('ROOST_AGENT_ID\nUV_THREADPOOL_SIZE\n');
        expect(stderr.match(/Permission denied/g)).toHaveLength(1);
        expect(stderr.match(/No such device or address/g)).toHaveLength(2);
      });
    });
  });
}
