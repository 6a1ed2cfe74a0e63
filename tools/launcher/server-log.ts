import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { openRotatedLog } from './rotated-log.js';

/** What a server says before it fails is short. */
const keptLines = 3;
/** Lines that say why a server cannot go on; what PostgreSQL tells clients that come while it starts is none of them. */
const REASON = /\b(?:FATAL|PANIC):(?! +the database system is )|\[FTL\]|^initdb: error:/;

export interface ServerLog {
  /** Takes what a process prints, instead of the one before. */
  collect(child: ChildProcess): void;
  /** Why the process failed, by what it printed, on one line: its fatal errors, or else what it printed last. */
  failure(): string;
  close(): Promise<void>;
}

/** Opens the log of PostgreSQL or NATS: their lines as they are. */
export function openServerLog(path: string, onTrouble: (message: string) => void): ServerLog {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openRotatedLog({ path, onTrouble });
  let last: string[] = [];
  let reasons: string[] = [];
  const take = (line: string) => {
    last = [...last, line].slice(-keptLines);
    if (REASON.test(line)) reasons = [...reasons, line].slice(-keptLines);
    file.write(line);
  };
  return {
    collect({ stdout, stderr }) {
      [last, reasons] = [[], []];
      for (const stream of [stdout, stderr]) if (stream) file.collect(stream, take);
    },
    failure: () => (reasons.length > 0 ? reasons : last).join(' | '),
    close: () => file.close(),
  };
}
