import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { openRotatedLog } from './rotated-log.js';

/** What a server says before it fails is short. */
const keptLines = 10;

export interface ServerLog {
  /** Takes what a process prints. */
  collect(child: ChildProcess): void;
  /** What was printed last, on one line, for an error message. */
  lastLines(count: number): string;
  close(): Promise<void>;
}

/** Opens the log of PostgreSQL or NATS: their lines as they are. */
export function openServerLog(path: string, onTrouble: (message: string) => void): ServerLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openRotatedLog({ path, onTrouble });
  let last: string[] = [];
  const take = (line: string) => {
    last = [...last.slice(1 - keptLines), line];
    file.write(line);
  };
  return {
    collect({ stdout, stderr }) {
      for (const stream of [stdout, stderr]) if (stream) file.collect(stream, take);
    },
    lastLines: (count) => last.slice(-count).join(' | '),
    close: () => file.close(),
  };
}
