import { callNumber, type Probe, type ProbeGroup, succeeds } from './probe.js';

/** Of the sandbox's first process: opened, nothing is read or written. */
const opensOfFirst = (file: string, mode: '<' | '<>' = '<'): Probe =>
  succeeds(`open the first process’s ${file}`, `exec 8${mode} /proc/1/${file}`);

/** Which process holds the line to the host: without a sandbox, the parent of the probe. */
const daemon = '$PPID';
const lastCore = 'ls core core.* /tmp/core* 2> /dev/null | grep -q .';

/** The memory and the handles of processes that are not the agent's: the sandbox's first one and the daemon. */
export const memory: ProbeGroup = {
  name: 'memory and handles of other processes',
  probes: [
    opensOfFirst('mem', '<>'),
    opensOfFirst('environ'),
    opensOfFirst('maps'),
    opensOfFirst('auxv'),
    opensOfFirst('task/1/mem', '<>'),
    succeeds('list the first process’s handles', 'ls /proc/1/fd'),
    succeeds('follow the first process’s program', 'readlink /proc/1/exe'),
    succeeds('follow the first process’s root', 'ls /proc/1/root/'),
    succeeds('open the daemon’s memory', `exec 8<> /proc/${daemon}/mem`),
    succeeds(
      'open the memory of a thread of the daemon',
      `for t in /proc/${daemon}/task/*; do exec 8<> $t/mem && exit 0; done; exit 1`,
    ),
    succeeds('open the daemon’s mapped files', `ls /proc/${daemon}/map_files | grep -q .`),
    succeeds(
      'open a pipe that the daemon made for itself',
      `for h in /proc/${daemon}/fd/*; do case $(readlink $h) in pipe:*) exec 8<> $h && exit 0 ;; esac; done; exit 1`,
      { setup: () => 'exec 8<> <(:)' },
    ),
    succeeds(
      'system call process_vm_writev',
      `perl -e '$b = "canary00"; $d = "changed0"; $l = pack("QQ", unpack("Q", pack("P", $d)), 8); $r = pack("QQ", unpack("Q", pack("P", $b)), 8); exit(syscall(${callNumber('process_vm_writev')}, $$, $l, 1, $r, 1, 0) != 8)'`,
    ),
    succeeds(
      'take a handle of the first process',
      `perl -e '$f = syscall(${callNumber('pidfd_open')}, 1, 0); exit($f < 0 || syscall(${callNumber('pidfd_getfd')}, $f, 0, 0) < 0)'`,
    ),
    succeeds(
      'have a core dump written',
      `ulimit -c unlimited 2> /dev/null; rm -f core core.*; sh -c 'kill -SEGV $$'; ${lastCore}; r=$?; rm -f core core.*; exit $r`,
      { setup: () => 'ulimit -c unlimited; cd "$(mktemp -d)"' },
    ),
  ],
};
