import type { Readable } from 'node:stream';
import { chmodSync, existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { createStream } from 'rotating-file-stream';
import { readLines } from './read-lines.js';

/** A file holds at most this much and at most a day; so many older ones are kept beside it: a week, or 160 MB. */
export const rotation = { size: '20M', interval: '1d', rotate: 7 } as const;

/** pino's levels. */
const INFO = 30;
const ERROR = 50;

export interface ServicesLog {
  /** Takes what a process of ours prints: its log lines as they are, anything else as the text of one. */
  collect(stream: Readable, source: string, onText?: (line: string) => void): void;
  /** The launcher's own news, so that the file tells by itself when services were started again. */
  note(message: string): void;
  /** Resolves when all is in the file. */
  close(): Promise<void>;
}

export interface ServicesLogOptions {
  path: string;
  /** Shows every line on the terminal as well, made readable. */
  show?: ((line: string) => void) | undefined;
  /** Told once when the file cannot be written: a full disk ends no service. */
  onTrouble(message: string): void;
  limits?: { size?: string; interval?: string; rotate?: number };
}

/** Opens the one log of all services: JSON lines, mode 0600, rotated by size and age. */
export async function openServicesLog({ path, show, onTrouble, limits }: ServicesLogOptions): Promise<ServicesLog> {
  // Of a version before, which others could read.
  if (existsSync(path)) chmodSync(path, 0o600);
  const file = createStream((index) => (index ? `${basename(path)}.${Number(index)}` : basename(path)), {
    ...rotation,
    ...limits,
    path: dirname(path),
    mode: 0o600,
    initialRotation: true,
  });
  let isTold = false;
  const trouble = (error: Error) => {
    if (!isTold) onTrouble(`The log ${path} cannot be written: ${error.message}`);
    isTold = true;
  };
  file.on('error', trouble);
  file.on('warning', trouble);
  const print = show && (await prettyPrinter(show));

  const write = (line: string) => {
    if (!file.destroyed) file.write(`${line}\n`);
    print?.(line);
  };
  const wrap = (level: number, service: string, msg: string) =>
    write(JSON.stringify({ level, time: Date.now(), service, msg }));
  return {
    collect(stream, source, onText) {
      readLines(stream, (line) => {
        if (isLogLine(line)) return write(line);
        wrap(ERROR, source, line);
        onText?.(line);
      });
    },
    note: (message) => wrap(INFO, 'launcher', message),
    close: () => new Promise((done) => (file.destroyed ? done() : file.end(() => done()))),
  };
}

/** Whether it is one of pino's: anything else is wrapped, so that each line of the file is JSON. */
function isLogLine(line: string): boolean {
  if (!line.startsWith('{"level":')) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

async function prettyPrinter(show: (line: string) => void): Promise<(line: string) => void> {
  // Only for who wants it on the terminal.
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: process.stderr.isTTY,
    ignore: 'pid,hostname,name,service',
    messageFormat: '[{service}] {msg}',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return (line) => show(pretty(line).trimEnd());
}
