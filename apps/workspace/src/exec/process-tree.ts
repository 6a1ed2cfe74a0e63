import { readdirSync, readFileSync } from 'node:fs';

/** Put into a run's environment: it is inherited by whatever the run starts, also by what leaves its process group. */
export const RUN_MARK = 'ROOST_EXEC_ID';

/** Sends a signal to everything a run started: its process group, its descendants, and what carries its mark. */
export function signalRun(leader: number, mark: string, signal: NodeJS.Signals): void {
  for (const pid of membersOf(leader, mark)) {
    try {
      process.kill(pid, signal);
    } catch {
      continue; // it ended meanwhile
    }
  }
}

/** True while anything of the run is alive. */
export function isRunAlive(leader: number, mark: string): boolean {
  return membersOf(leader, mark).length > 0;
}

/** True while anything runs in the sandbox but the daemon and its starter, e.g. what a command left in the background. */
export function hasOtherProcesses(): boolean {
  return others().length > 0;
}

export function endOtherProcesses(): void {
  for (const pid of others()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      continue; // it ended meanwhile
    }
  }
}

function others(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid);
}

function membersOf(leader: number, mark: string): number[] {
  const processes = readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    const parsed = Number.isInteger(pid) && pid > 1 && pid !== process.pid ? statOf(pid) : undefined;
    return parsed ? [{ pid, ...parsed }] : [];
  });
  const members = new Set(
    processes
      .filter(
        ({ pid, group, session }) => pid === leader || group === leader || session === leader || isMarked(pid, mark),
      )
      .map(({ pid }) => pid),
  );
  for (let grown = true; grown;) {
    grown = false;
    for (const { pid, parent } of processes) {
      if (!members.has(parent) || members.has(pid)) continue;
      members.add(pid);
      grown = true;
    }
  }
  return [...members];
}

function statOf(pid: number): { parent: number; group: number; session: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (!stat) return undefined;
  // The command's name is in parentheses and may hold anything; state, parent, group and session follow it.
  const [state, parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : { parent: Number(parent), group: Number(group), session: Number(session) };
}

function isMarked(pid: number, mark: string): boolean {
  return read(`/proc/${pid}/environ`)?.split('\0').includes(`${RUN_MARK}=${mark}`) ?? false;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined; // it ended while we looked, or is not ours
  }
}
