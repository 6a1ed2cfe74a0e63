import type { Readable } from 'node:stream';
import { printable } from '#lib/bounded-streams';
import { openRotatedLog, type RotatedLogOptions } from './rotated-log.js';

/** pino's levels. */
const INFO = 30;
const ERROR = 50;

export interface ServicesLog {
  /** Takes what a process of ours prints: its log lines as they are, anything else as the text of one. */
  collect(stream: Readable, source: string, onText?: (line: string) => void): void;
  /** The launcher's own lines, so that the file shows by itself when services were started again. */
  note(message: string): void;
  /** Resolves when all is in the file. */
  close(): Promise<void>;
}

export interface ServicesLogOptions extends RotatedLogOptions {
  /** Shows every line on the terminal as well, made readable. */
  show?: ((line: string) => void) | undefined;
}

/** Opens the one log of all services: JSON lines. */
export async function openServicesLog({ show, ...options }: ServicesLogOptions): Promise<ServicesLog> {
  const file = openRotatedLog(options);
  const print = show && (await prettyPrinter(show));
  const write = (line: string) => {
    file.write(line);
    print?.(line);
  };
  const wrap = (level: number, service: string, msg: string) =>
    write(JSON.stringify({ level, time: Date.now(), service, msg }));
  return {
    collect(stream, source, onText) {
      file.collect(stream, (line) => {
        if (isLogLine(line)) return write(line);
        wrap(ERROR, source, line);
        onText?.(line);
      });
    },
    note: (message) => wrap(INFO, 'launcher', message),
    close: () => file.close(),
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
  // What an agent or a stranger sent may be in a line: it must not steer the operator's terminal.
  const shown = (_: string, value: unknown) =>
    typeof value === 'string' ? value.split('\n').map(printable).join('\n') : value;
  return (line) => show(pretty(JSON.parse(line, shown) as object).trimEnd());
}
