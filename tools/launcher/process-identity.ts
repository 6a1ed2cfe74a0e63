import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/**
 * What distinguishes a process from another that later gets the same pid: boot and start time.
 * `undefined` when no such process runs.
 */
export function processIdentity(pid: number): string | undefined {
  if (process.platform !== 'linux') return ps(['-o', 'lstart=', '-p', String(pid)]);
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses and may hold spaces; the start time is field 22, the state field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19] ?? ''}`;
}

export interface RunningProcess {
  pid: number;
  argv: string[];
}

/**
 * Processes whose argument list holds exactly `argument`, run by one of `programs`. This finds what an earlier launcher
 * left behind without any pid file, which a kill can leave unwritten, stale or pointing at a stranger.
 */
export function processesWithArgument(programs: string[], argument: string): RunningProcess[] {
  return allProcesses().filter(({ pid, argv }) => {
    const program = argv[0]?.split('/').at(-1) ?? '';
    return pid !== process.pid && programs.includes(program) && argv.includes(argument);
  });
}

/** Sends the signals in order, each given `graceMs` to work; resolves when the process is gone. */
export async function endProcess(pid: number, signals: NodeJS.Signals[], graceMs: number): Promise<void> {
  const identity = processIdentity(pid);
  if (identity === undefined) return;
  const isGone = () => processIdentity(pid) !== identity;
  for (const signal of signals) {
    try {
      process.kill(pid, signal);
    } catch {
      // Gone between the check and the signal, or not ours to end: the wait below shows which.
    }
    for (const deadline = Date.now() + graceMs; Date.now() < deadline;) {
      if (isGone()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  if (!isGone()) throw new Error(`process ${pid} does not end`);
}

function allProcesses(): RunningProcess[] {
  if (process.platform === 'linux') {
    return readdirSync('/proc').flatMap((name) => {
      const pid = Number(name);
      const commandLine = Number.isInteger(pid) ? readProc(pid, 'cmdline') : undefined;
      return commandLine ? [{ pid, argv: commandLine.split('\0') }] : [];
    });
  }
  const lines = ps(['-axo', 'pid=,command='])?.split('\n') ?? [];
  return lines.map((line) => {
    const [pid = '', ...argv] = line.trim().split(/\s+/);
    return { pid: Number(pid), argv };
  });
}

function readProc(pid: number, file: 'stat' | 'cmdline'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // it ended while we looked
  }
}

function ps(args: string[]): string | undefined {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || undefined;
  } catch {
    return undefined; // ps exits 1 when no process matches
  }
}
