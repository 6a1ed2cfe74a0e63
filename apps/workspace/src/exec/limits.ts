import { existsSync } from 'node:fs';

/** Asked for at each use: this module may have been loaded outside the sandbox. */
export const shell = () => (existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh');

/**
 * Before the program itself: the daemon, and whatever else answers requests here, goes first; when memory runs out the kernel is to end a command, not the daemon; a fork bomb is to
 * leave the daemon processes to end it with; on a full volume no file may grow (writing fails with
 * EFBIG and without the signal), but files can be deleted.
 */
const prelude = `echo 900 2> /dev/null > /proc/self/oom_score_adj
ulimit -u "$1" 2> /dev/null || ulimit -p "$1" 2> /dev/null
[ "$2" = full ] && trap "" XFSZ && ulimit -f 0
shift 2
exec nice -n 10 "$@"`;

export interface CommandLimits {
  /** Of all commands together. */
  maxProcesses: number;
  isVolumeFull(): boolean;
}

/** The command line that runs a program within the limits of the agent's commands. */
export function limited({ maxProcesses, isVolumeFull }: CommandLimits, program: string, args: string[]): string[] {
  return ['-c', prelude, 'roost-limits', String(maxProcesses), isVolumeFull() ? 'full' : '-', program, ...args];
}
