/**
 * The system call filter of a sandbox, as a classic BPF program for `bwrap --seccomp`. It takes away calls that make the
 * kernel's surface large and that no tool of an agent needs; namespaces and missing capabilities are the isolation, this is
 * the ditch before it. A refused call fails with EPERM; clone3 with ENOSYS, so that C libraries fall back to clone,
 * whose flags can be looked at. Undefined for a processor we have no call numbers of.
 * Sources: the default profiles of docker and flatpak, linux/seccomp.h.
 */
export function seccompProgram(arch: string = process.arch): Buffer | undefined {
  const machine = machines[arch];
  if (!machine) return undefined;
  return encode([
    // Calls in the way of another architecture (32-bit on a 64-bit kernel) have other numbers: none are let through.
    load(archOffset),
    jumpEqual(machine.audit, 1, 0),
    answer(KILL_PROCESS),
    load(callOffset),
    // The x32 calls of x86-64 carry this bit and would slip past the numbers below.
    ...(arch === 'x64' ? [jumpSet(0x40000000, 0, 1), answer(ERRNO | EPERM)] : []),
    ...machine.refused.flatMap((call) => whenCall(call, [answer(ERRNO | EPERM)])),
    ...whenCall(machine.clone3, [answer(ERRNO | ENOSYS)]),
    ...whenCall(machine.clone, [
      load(firstArgument),
      jumpSet(newNamespaces, 0, 1),
      answer(ERRNO | EPERM),
      answer(ALLOW),
    ]),
    // Typing or pasting into a terminal that somebody else reads.
    ...whenCall(machine.ioctl, [
      load(secondArgument),
      jumpEqual(TIOCSTI, 1, 0),
      jumpEqual(TIOCLINUX, 0, 1),
      answer(ERRNO | EPERM),
      answer(ALLOW),
    ]),
    // Sockets of the local, Internet and netlink families only: no VSOCK to a hypervisor, no raw packets, no kernel crypto.
    ...whenCall(machine.socket, [
      load(firstArgument),
      ...socketFamilies.map((family, index) => jumpEqual(family, socketFamilies.length - index, 0)),
      answer(ERRNO | EAFNOSUPPORT),
      answer(ALLOW),
    ]),
    answer(ALLOW),
  ]);
}

interface Instruction {
  code: number;
  ifTrue: number;
  ifFalse: number;
  value: number;
}

interface Machine {
  audit: number;
  clone: number;
  clone3: number;
  ioctl: number;
  socket: number;
  refused: number[];
}

const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
const ALLOW = 0x7fff0000;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
const [TIOCSTI, TIOCLINUX] = [0x5412, 0x541c];
const socketFamilies = [1 /* unix */, 2 /* inet */, 10 /* inet6 */, 16 /* netlink */];
// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
const newNamespaces = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;
// struct seccomp_data; the low half of an argument comes first on both machines.
const [callOffset, archOffset, firstArgument, secondArgument] = [0, 4, 16, 24];

/** Numbers that all architectures share: io_uring, the new mount calls, pidfd_getfd, process_madvise, memfd_secret and later. */
const common = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443, 447, 457, 458];

const machines: Record<string, Machine> = {
  x64: {
    audit: 0xc000003e,
    clone: 56,
    clone3: 435,
    ioctl: 16,
    socket: 41,
    refused: [
      ...common,
      101 /* ptrace */,
      310,
      311 /* process_vm_readv, writev */,
      312 /* kcmp */,
      248,
      249,
      250 /* keys */,
      321 /* bpf */,
      323 /* userfaultfd */,
      165,
      166,
      155,
      161 /* mount, umount2, pivot_root, chroot */,
      272,
      308 /* unshare, setns */,
      298 /* perf_event_open */,
      303,
      304 /* file handles */,
      246,
      320,
      175,
      313,
      176 /* kexec, modules */,
      169,
      167,
      168,
      163 /* reboot, swap, acct */,
      164,
      227,
      305 /* clocks */,
      103 /* syslog */,
      179,
      180,
      212 /* quotactl, nfs, dcookie */,
      172,
      173,
      154 /* iopl, ioperm, modify_ldt */,
      237,
      238,
      256,
      279 /* NUMA */,
      300 /* fanotify */,
      153,
      170,
      171 /* vhangup, host names */,
      134,
      136,
      139,
      156 /* obsolete */,
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    clone: 220,
    clone3: 435,
    ioctl: 29,
    socket: 198,
    refused: [
      ...common,
      117,
      270,
      271,
      272,
      217,
      218,
      219,
      280,
      282,
      40,
      39,
      41,
      51,
      97,
      268,
      241,
      264,
      265,
      104,
      294,
      105,
      273,
      106,
      142,
      224,
      225,
      89,
      170,
      112,
      266,
      116,
      60,
      42,
      18,
      235,
      237,
      238,
      239,
      262,
      58,
      161,
      162,
    ],
  },
};

/** Runs `body`, which ends in answers, for one call; others go on behind it. */
function whenCall(call: number, body: Instruction[]): Instruction[] {
  return [jumpEqual(call, 0, body.length), ...body];
}

function load(offset: number): Instruction {
  return { code: 0x20, ifTrue: 0, ifFalse: 0, value: offset };
}

function jumpEqual(value: number, ifTrue: number, ifFalse: number): Instruction {
  return { code: 0x15, ifTrue, ifFalse, value };
}

function jumpSet(bits: number, ifTrue: number, ifFalse: number): Instruction {
  return { code: 0x45, ifTrue, ifFalse, value: bits };
}

function answer(value: number): Instruction {
  return { code: 0x06, ifTrue: 0, ifFalse: 0, value };
}

function encode(program: Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, ifTrue, ifFalse, value }, index) => {
    const at = index * 8;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    bytes.writeUInt32LE(value >>> 0, at + 4);
  });
  return bytes;
}
