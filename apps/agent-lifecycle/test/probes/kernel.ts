import { callNumber, calls, type Probe, type ProbeGroup, succeeds } from './probe.js';

const opens = (path: string, mode: '<' | '>' | '<>' = '<'): Probe => succeeds(`open ${path}`, `exec 8${mode} ${path}`);
const clone = process.arch === 'arm64' ? 220 : 56;

/** Mounts, devices, namespaces and the kernel's own interfaces. */
export const kernel: ProbeGroup = {
  name: 'mounts, devices, namespaces, kernel',
  probes: [
    succeeds('mount a tmpfs', 'mkdir -p p-m; mount -t tmpfs probe p-m'),
    succeeds('mount by bind', 'mkdir -p p-m; mount --bind / p-m'),
    succeeds('mount a new /proc', 'mkdir -p p-m; mount -t proc probe p-m'),
    succeeds('mount /sys', 'mkdir -p p-m; mount -t sysfs probe p-m'),
    succeeds('mount the host’s devices', 'mkdir -p p-m; mount -t devtmpfs probe p-m'),
    succeeds(
      'mount an overlay',
      'mkdir -p p-u p-w p-m; mount -t overlay probe -o lowerdir=/usr,upperdir=p-u,workdir=p-w p-m',
      {
        setup: () => 'mkdir -p p-o; mount -t tmpfs probe p-o; cd p-o',
      },
    ),
    succeeds('make /usr writable', 'mount -o remount,bind,rw /usr', {
      setup: () => 'mount --bind /usr /usr; mount -o remount,bind,ro /usr',
    }),
    succeeds('take /proc away', 'umount -l /proc'),
    succeeds('change the root', 'chroot / /bin/true'),
    succeeds('pivot the root', 'pivot_root p-n p-n/old', {
      setup: () => 'mkdir -p p-n; mount -t tmpfs probe p-n; mkdir p-n/old; mount --make-private p-n',
    }),
    calls('fsopen', '$x, 0', { before: '$x = "tmpfs\\0";' }),
    calls('open_tree', '-100, $x, 1', { before: '$x = "/\\0";' }),
    calls('mount_setattr', '-100, $x, 0, $a, 32', { before: '$x = "/\\0"; $a = "\\0" x 32;' }),
    ...['/dev/mem', '/dev/kmsg', '/dev/fuse', '/dev/loop-control', '/dev/kvm', '/dev/net/tun', '/dev/port'].map(
      (path) => opens(path),
    ),
    { name: 'read the host’s disk', command: ({ disk }) => `head -c 16 ${disk.path} | grep -acq '' && echo ESCAPED` },
    {
      name: 'make a device node of the host’s disk',
      command: ({ disk }) =>
        `mknod p-disk b ${disk.major} ${disk.minor} && head -c 16 p-disk > /dev/null && echo ESCAPED`,
    },
    succeeds('make a character device', 'rm -f p-null; mknod p-null c 1 3'),
    ...['/proc/kcore', '/proc/kmsg', '/proc/slabinfo', '/proc/vmallocinfo'].map((path) => opens(path)),
    opens('/proc/sysrq-trigger', '>'),
    succeeds('write a kernel setting', 'echo 0 > /proc/sys/net/ipv4/ip_forward', { ownNetwork: true }),
    succeeds(
      'set the core handler',
      'read -r p < /proc/sys/kernel/core_pattern && echo "$p" > /proc/sys/kernel/core_pattern',
    ),
    succeeds('see /sys', 'ls /sys/class'),
    succeeds(
      'leave the control group',
      'for g in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do [ -w $g ] && exit 0; done; exit 1',
    ),
    calls('unshare', '0x10000000'),
    succeeds('a mount namespace', 'unshare -m true'),
    succeeds('a network namespace', 'unshare -n true'),
    succeeds('a user namespace with root', 'unshare -Ur true'),
    succeeds(
      'a user namespace by clone',
      `perl -MPOSIX -e '$p = syscall(${clone}, 0x10000011, 0, 0, 0, 0); POSIX::_exit(0) if $p == 0; exit($p < 0)'`,
    ),
    succeeds(
      'a user namespace by clone3',
      `perl -MPOSIX -e '$a = pack("Q11", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0); $p = syscall(${callNumber('clone3')}, $a, 88); POSIX::_exit(0) if $p == 0; exit($p < 0)'`,
    ),
    succeeds(
      'enter a namespace',
      `perl -e 'open(F, "<", "/proc/self/ns/uts"); exit(syscall(${callNumber('setns')}, fileno(F), 0) < 0)'`,
    ),
    succeeds('change the host’s name', 'hostname p-probe'),
    calls('add_key', '$t, $d, $x, 1, -3', { before: '$t = "user\\0"; $d = "roost-probe\\0"; $x = "x";' }),
    calls('keyctl', '0, -3, 1'),
    calls('bpf', '0, $a, 72', { before: '$a = pack("L4", 2, 4, 4, 1) . "\\0" x 112;' }),
    calls('userfaultfd', '0'),
    calls('io_uring_setup', '4, $a', { before: '$a = "\\0" x 120;' }),
    calls('perf_event_open', '$a, 0, -1, -1, 0', { before: '$a = pack("LLQ", 1, 112, 0) . "\\0" x 96;' }),
    calls('fanotify_init', '0, 0'),
    calls('syslog', '10, 0, 0'),
    calls('quotactl', '0x80000100, 0, 0, 0'),
    calls('acct', '0'),
    calls('set_mempolicy', '0, 0, 0'),
    calls('memfd_secret', '0'),
    succeeds(
      'open a file by its handle',
      `perl -e '$h = pack("L l", 128, 0) . "\\0" x 128; $m = "\\0" x 8; $p = ".\\0"; syscall(${callNumber('name_to_handle_at')}, -100, $p, $h, $m, 0) == 0 or exit 1; open(D, "<", "."); exit(syscall(${callNumber('open_by_handle_at')}, fileno(D), $h, 0) < 0)'`,
    ),
    ...(process.arch === 'x64'
      ? [
          succeeds('system call iopl', `perl -e 'exit(syscall(172, 3) < 0)'`),
          succeeds('system call ioperm', `perl -e 'exit(syscall(173, 0x80, 1, 1) < 0)'`),
          succeeds('system call modify_ldt', `perl -e '$b = "\\0" x 64; exit(syscall(154, 0, $b, 64) < 0)'`),
        ]
      : []),
  ],
};
