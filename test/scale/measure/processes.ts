import { readdirSync, readFileSync } from 'node:fs';

export interface Process {
  /** The service's, `postgres`, `nats-server`, or the program's; the n-th of the same name has `#n`. */
  name: string;
  /** Resident. */
  bytes: number;
  /** That it has used so far; of PostgreSQL all of its processes together. */
  cpuMs: number;
}

const TICK_MS = 10;

/** What runs below a process, by service. */
export function processesOf(rootPid: number): Process[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(all.map((pid) => [pid, Number(/^PPid:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0)]));
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at; at = parents.get(at)) if (at === rootPid) return true;
    return false;
  };
  const found = new Map<string, Process>();
  for (const pid of all.filter(isBelow).sort((a, b) => a - b)) {
    const program = nameOf(pid);
    if (program === undefined) continue;
    const process = { bytes: residentOf(pid), cpuMs: cpuMsOf(pid) };
    if (program === 'postgres') {
      const known = found.get(program) ?? { name: program, bytes: 0, cpuMs: 0 };
      // Shared memory is in each of them: what is counted is the largest.
      found.set(program, {
        name: program,
        bytes: Math.max(known.bytes, process.bytes),
        cpuMs: known.cpuMs + process.cpuMs,
      });
      continue;
    }
    let [name, n] = [program, 1];
    while (found.has(name)) name = `${program}#${++n}`;
    found.set(name, { name, ...process });
  }
  return [...found.values()];
}

function nameOf(pid: number): string | undefined {
  const command = read(pid, 'cmdline').replaceAll('\0', ' ');
  const [, service] = /dist\/apps\/([a-z-]+)\/src\/main\.js/.exec(command) ?? [];
  if (service) return service;
  if (/postgres/.test(command)) return 'postgres';
  if (/nats-server/.test(command)) return 'nats-server';
  return undefined;
}

const residentOf = (pid: number) => Number(/^VmRSS:\s+(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0) * 1_024;

function cpuMsOf(pid: number): number {
  const fields = (/^\d+ \(.*\) (.*)$/s.exec(read(pid, 'stat'))?.[1] ?? '').split(' ').map(Number);
  // utime and stime, and those of children that were waited for: proc(5).
  return [11, 12, 13, 14].reduce((sum, field) => sum + (fields[field] ?? 0), 0) * TICK_MS;
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
