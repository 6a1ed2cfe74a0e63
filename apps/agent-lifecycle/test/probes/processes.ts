import { callNumber, calls, type ProbeGroup, succeeds, reads } from './probe.js';

const TIOCSTI = '0x5412';

/** Other processes, privileges and terminals. */
export const processes: ProbeGroup = {
  name: 'processes, privileges, terminals',
  probes: [
    succeeds('signal a host process', ({ hostPid }) => `kill -CONT ${hostPid}`),
    succeeds('see a host process', ({ hostPidMark: [first, ...rest] }) => {
      // In brackets, so that the search does not find itself.
      return `cat /proc/[0-9]*/cmdline 2> /dev/null | tr '\\0' '\\n' | grep -x '[${first}]${rest.join('')}'`;
    }),
    succeeds('read the parent’s environment', 'cat /proc/$PPID/environ'),
    succeeds('read the parent’s memory map', 'cat /proc/$PPID/maps'),
    succeeds('open the parent’s memory', 'exec 8<> /proc/$PPID/mem'),
    succeeds('list the parent’s handles', 'ls /proc/$PPID/fd'),
    succeeds('read the parent’s stack', 'cat /proc/$PPID/stack'),
    calls('ptrace', '0, 0, 0, 0'),
    succeeds(
      'attach to a process',
      `sleep 5 & perl -e '$p = shift; $r = syscall(${callNumber('ptrace')}, 16, $p + 0, 0, 0); exit($r < 0)' $!; r=$?; kill -9 $!; exit $r`,
    ),
    succeeds(
      'system call process_vm_readv',
      `perl -e '$b = "canary00"; $d = "\\0" x 8; $l = pack("QQ", unpack("Q", pack("P", $d)), 8); $r = pack("QQ", unpack("Q", pack("P", $b)), 8); exit(syscall(${callNumber('process_vm_readv')}, $$, $l, 1, $r, 1, 0) != 8)'`,
    ),
    succeeds(
      'take a handle from another process',
      `perl -e '$f = syscall(${callNumber('pidfd_open')}, getppid(), 0); exit($f < 0 || syscall(${callNumber('pidfd_getfd')}, $f, 1, 0) < 0)'`,
    ),
    succeeds('system call kcmp', `perl -e 'exit(syscall(${callNumber('kcmp')}, $$, getppid(), 1, 0, 0) < 0)'`),
    succeeds('become root', `perl -e '$< = 0; $> = 0; exit($< != 0 || $> != 0)'`),
    succeeds('become another user', `perl -e '$> = 12345; exit($> != 12345)'`),
    succeeds('join other groups', `perl -e '$) = "0 0 4 6"; exit((split " ", $))[-1] != 6)'`),
    succeeds('become root by su', 'su root -c true < /dev/null'),
    succeeds('give a file away', 'touch p-own; chown 1 p-own'),
    succeeds('have a capability', `! grep -qE 'CapEff:\\s0+$' /proc/self/status`),
    succeeds('gain privileges by exec', `grep -qE 'NoNewPrivs:\\s0' /proc/self/status`),
    succeeds('run without a system call filter', `grep -qE 'Seccomp:\\s0' /proc/self/status`),
    succeeds(
      'give a program capabilities',
      `touch p-cap; perl -e '$p = "p-cap\\0"; $n = "security.capability\\0"; $v = pack("L5", 0x02000000, 0xffffffff, 0, 0, 0); exit(syscall(${callNumber('setxattr')}, $p, $n, $v, 20, 0) < 0)'`,
    ),
    succeeds('raise its priority', '! nice -n -5 true 2>&1 | grep -q .'),
    succeeds('run in real time', 'chrt -f 10 true'),
    succeeds('take the disk’s real-time class', 'ionice -c 1 true'),
    succeeds('be spared when memory runs out', 'echo -500 > /proc/self/oom_score_adj'),
    succeeds('raise a hard limit', 'prlimit --nofile=1000000:1000000 true', { setup: () => 'ulimit -n 4096' }),
    succeeds(
      'type into a terminal',
      `script -qec "perl -e 'exit(ioctl(STDIN, ${TIOCSTI}, \\$c = qq(x)) ? 0 : 1)'" /dev/null < /dev/null`,
    ),
    succeeds(
      'type into a terminal with high bits set',
      `script -qec "perl -e '\\$c = qq(x); exit(syscall(${process.arch === 'arm64' ? 29 : 16}, 0, 0x100005412, \\$c) < 0 ? 1 : 0)'" /dev/null < /dev/null`,
    ),
    reads('read the host’s System V shared memory', ({ sharedMemoryKey }) => {
      return `perl -e '$i = shmget(${sharedMemoryKey}, 64, 0); defined $i and shmread($i, $b, 0, 64) and print $b'`;
    }),
    succeeds('open the host’s message queue', ({ messageQueue }) => {
      return `perl -e '$n = "${messageQueue}\\0"; exit(syscall(${callNumber('mq_open')}, $n, 0, 0, 0) < 0)'`;
    }),
  ],
};
