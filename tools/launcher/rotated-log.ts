import { chmodSync, existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoundedLines } from '#lib/bounded-streams';
import { createStream } from 'rotating-file-stream';

/** A file holds at most this much and at most a day; so many older ones are kept beside it: a week, or 160 MB. */
export const rotation = { size: '20M', interval: '1d', rotate: 7 } as const;
/** A longer line is cut: what a process prints must not grow in our memory until it prints a line's end. */
const maxLineBytes = 256 * 1024;
/** What waits for a slow disk; lines beyond it are left out, and counted. */
const maxWaitingBytes = 8 * 1024 * 1024;
/** A file that could not be written, on a disk that was full, is opened again after this long. */
const retryMs = 10_000;
/** What a process printed last may arrive after its end. */
const lastLinesMs = 300;

export interface RotatedLog {
  /** One line, without its end. */
  write(line: string): void;
  /** Calls `onLine` for each line that a process prints, cut where it is too long; absent: writes it. */
  collect(stream: Readable, onLine?: (line: string) => void): void;
  /** Resolves when all that was collected is in the file. */
  close(): Promise<void>;
}

export interface RotatedLogOptions {
  path: string;
  /** Called when the file cannot be written, and when it can be again: a full disk ends no process. */
  onTrouble(message: string): void;
  limits?: { size?: string; interval?: string; rotate?: number; retryMs?: number } | undefined;
}

/** Opens a log of mode 0600, rotated by size and age to `.1`, `.2` and so on. */
export function openRotatedLog({
  path,
  onTrouble,
  limits: { retryMs: pause = retryMs, ...limits } = {},
}: RotatedLogOptions): RotatedLog {
  // Of a version before, which others could read.
  if (existsSync(path)) chmodSync(path, 0o600);
  const collected = new Set<Promise<void>>();
  let lostLines = 0;
  let isBroken = false;
  let isClosed = false;
  let file = open();

  function open() {
    const stream = createStream((index) => (index ? `${basename(path)}.${Number(index)}` : basename(path)), {
      ...rotation,
      ...limits,
      path: dirname(path),
      mode: 0o600,
      initialRotation: true,
    });
    const trouble = ({ message }: Error) => {
      if (!isBroken) onTrouble(`The log ${path} cannot be written: ${message}`);
      isBroken = true;
    };
    stream.on('warning', trouble);
    stream.on('error', (error) => {
      trouble(error);
      if (!isClosed) setTimeout(() => (file = open()), pause).unref();
    });
    return stream;
  }

  function write(line: string): void {
    if (file.destroyed || isClosed || file.writableLength > maxWaitingBytes) {
      lostLines += 1;
      return;
    }
    file.write(`${line}\n`, (error) => {
      if (error) lostLines += 1;
      else if (lostLines > 0 || isBroken) {
        onTrouble(`The log ${path} is written again; ${lostLines} lines are missing.`);
        lostLines = 0;
        isBroken = false;
      }
    });
  }

  return {
    write,
    collect(stream, onLine = write) {
      const lines = new BoundedLines(maxLineBytes, onLine);
      stream.on('data', (chunk: Buffer) => lines.push(chunk));
      // A broken pipe is an end like another; the process's own end is reported by its parent.
      stream.on('error', () => undefined);
      const ended = new Promise<void>((done) => stream.once('close', () => done())).then(() => {
        lines.end();
        collected.delete(ended);
      });
      collected.add(ended);
    },
    async close() {
      await Promise.race([Promise.all(collected), sleep(lastLinesMs)]);
      isClosed = true;
      await new Promise<void>((done) => (file.destroyed ? done() : file.end(() => done())));
    },
  };
}
