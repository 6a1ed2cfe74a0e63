import { readdirSync, readFileSync } from 'node:fs';

/** A process below another whose command line holds a text; of several the deepest, which runs and does not start. */
export function processOf(ancestor: number, text: string): number {
  const [found] = processesOf(ancestor, text);
  if (found === undefined) throw new Error(`no process of ${text} was found`);
  return found;
}

/** All of them, the deepest first. */
export function processesOf(ancestor: number, text: string): number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(
    all.map((pid) => [pid, Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)]),
  );
  const depthOf = (pid: number): number => {
    const parent = parents.get(pid);
    if (parent === undefined || parent === 0) return -Infinity;
    return parent === ancestor ? 1 : depthOf(parent) + 1;
  };
  return all
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes(text) && depthOf(pid) > 0)
    .sort((a, b) => depthOf(b) - depthOf(a));
}

/** 0 of a process that is gone. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}
