export interface SeccompProfile {
  defaultAction: string;
  syscalls: SeccompRule[];
}

export interface SeccompRule {
  names: string[];
  action: string;
  errnoRet: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
}

/**
 * The system call filter of a container, in the format that Docker and OCI runtimes share: takes away what bubblewrap's
 * filter (local/seccomp.ts) takes away, by name, so that it serves every processor. Calls of another architecture end the
 * process.
 */
export function seccompProfile(): SeccompProfile {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: refused, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      // C libraries then fall back to clone, whose flags can be looked at.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...newNamespaces.map((flag) => ({
        names: ['clone'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        args: [{ index: 0, value: flag, valueTwo: flag, op: 'SCMP_CMP_MASKED_EQ' }],
      })),
      ...terminalTyping.map((request) => ({
        names: ['ioctl'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EPERM,
        // The kernel reads the low half only.
        args: [{ index: 1, value: 0xffffffff, valueTwo: request, op: 'SCMP_CMP_MASKED_EQ' }],
      })),
      ...foreignFamilies.map(([op, family]) => ({
        names: ['socket'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: EAFNOSUPPORT,
        args: [{ index: 0, value: family, op }],
      })),
    ],
  };
}

const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000];
/** TIOCSTI and TIOCLINUX: typing or pasting into a terminal that somebody else reads. */
const terminalTyping = [0x5412, 0x541c];
/** All but the local (1), Internet (2, 10) and netlink (16) families. */
const foreignFamilies: [op: string, family: number][] = [
  ['SCMP_CMP_EQ', 0],
  ...[3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15].map((family): [string, number] => ['SCMP_CMP_EQ', family]),
  ['SCMP_CMP_GT', 16],
];

const refused = [
  ['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
  ['mount', 'umount', 'umount2', 'pivot_root', 'chroot', 'open_tree', 'move_mount', 'fsopen', 'fsconfig', 'fsmount'],
  ['fspick', 'mount_setattr', 'statmount', 'listmount'],
  ['unshare', 'setns', 'ptrace', 'process_vm_readv', 'process_vm_writev', 'kcmp', 'pidfd_getfd', 'process_madvise'],
  ['add_key', 'request_key', 'keyctl', 'bpf', 'userfaultfd', 'perf_event_open', 'memfd_secret', 'quotactl_fd'],
  ['name_to_handle_at', 'open_by_handle_at', 'fanotify_init'],
  ['kexec_load', 'kexec_file_load', 'init_module', 'finit_module', 'delete_module', 'create_module'],
  ['reboot', 'swapon', 'swapoff', 'acct', 'settimeofday', 'stime', 'clock_settime', 'clock_settime64', 'clock_adjtime'],
  ['syslog', 'quotactl', 'nfsservctl', 'lookup_dcookie', 'iopl', 'ioperm', 'modify_ldt'],
  ['mbind', 'set_mempolicy', 'migrate_pages', 'move_pages', 'set_mempolicy_home_node'],
  ['vhangup', 'sethostname', 'setdomainname', 'uselib', 'ustat', 'sysfs', '_sysctl'],
].flat();
