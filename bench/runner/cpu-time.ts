import { readdirSync, readFileSync } from 'node:fs';

export interface CpuTimes {
  /** In ms, of the process itself and of everything it started, by program name. */
  byProgram: Map<string, number>;
  totalMs: number;
}

/** Linux counts in ticks of 10 ms. */
const TICK_MS = 10;

/**
 * CPU time that a process and its descendants have used. On a machine that others use too it says more than the clock.
 * Not counted: descendants that have ended without their parent waiting for them.
 */
export function cpuTimes(rootPid: number): CpuTimes {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger).map(statOf);
  const processes = new Map(all.flatMap((stat) => (stat ? [[stat.pid, stat]] : [])));
  const byProgram = new Map<string, number>();
  for (const { pid, program, ms } of processes.values()) {
    if (isBelow(pid, rootPid, processes)) byProgram.set(program, (byProgram.get(program) ?? 0) + ms);
  }
  return { byProgram, totalMs: [...byProgram.values()].reduce((sum, ms) => sum + ms, 0) };
}

interface ProcessStat {
  pid: number;
  parent: number;
  program: string;
  ms: number;
}

function statOf(pid: number): ProcessStat | undefined {
  try {
    const [, program = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = rest.split(' ').map(Number);
    // utime, stime and those of children that were waited for: proc(5), fields 14 to 17; the state is field 3.
    const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + (fields[field] ?? 0), 0);
    return { pid, parent: fields[1] ?? 0, program, ms: ticks * TICK_MS };
  } catch {
    return undefined; // it ended meanwhile
  }
}

function isBelow(pid: number, rootPid: number, processes: Map<number, ProcessStat>): boolean {
  for (let at: number | undefined = pid; at; at = processes.get(at)?.parent) if (at === rootPid) return true;
  return false;
}
