import { until } from '#lib/testing';
import { describe, expect, it } from 'vitest';
import { type DriverSuiteOptions, type DriverUnderTest, workspacesOf } from './driver-under-test.js';

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

/** What commands in a workspace may reach and see. */
export function describeIsolation(options: DriverSuiteOptions, under: () => DriverUnderTest): void {
  const { awake, run } = workspacesOf(under);

  it.runIf(options.isIsolated || options.hasProxy)(
    'refuses what an agent may not reach, changes that at once, and keeps a log of it',
    async () => {
      const spec = await awake();
      const { stdout } = await run(spec.agentId, 'curl -sS http://127.1.2.3:65535/');
      expect(stdout).toContain('no network (mode "none")');
      await under().driver.ensure({ ...spec, network: { mode: 'public' } });
      expect((await run(spec.agentId, 'curl -sS http://127.1.2.3:65535/')).stdout).toContain('may not be called');
      await until('both are noted', async () => (await under().driver.networkLog(spec.agentId, 10)).length === 2);
    },
  );

  describe.runIf(options.isIsolated)('isolated', () => {
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

    it.skipIf(isGvisor)('hides the daemon, its handles and its connection to the host from the commands', async () => {
      const { agentId } = await awake();
      const ended = await run(agentId, 'cat /proc/$PPID/environ; ls /proc/$PPID/fd; cat /proc/$PPID/maps');
      expect(ended).toMatchObject({ stdout: '', signal: null, timedOut: false });
      expect(ended.stderr.match(/Permission denied/g), ended.stderr).toHaveLength(3);
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
    it.runIf(isGvisor)("keeps commands from the daemon's memory and its connection to the host", async () => {
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
}
