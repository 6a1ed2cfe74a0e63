import { mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const maxBytes = 20 * 1024 * 1024;

/** Opens a log for appending, mode 0600; the previous one is kept as `.old` once it is larger than 20 MB. */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(path, `${path}.old`);
  return openSync(path, 'a', 0o600);
}

/** The end of a log on one line, for an error message; empty when there is none. */
export function lastLines(path: string, count: number): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').slice(-count).join(' | ');
  } catch {
    return '';
  }
}
