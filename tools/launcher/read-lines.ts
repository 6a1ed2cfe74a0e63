import type { Readable } from 'node:stream';

/** A longer line is cut: what a process prints must not grow in our memory until it prints a line's end. */
export const maxLineLength = 256 * 1024;

/** Calls `onLine` for each line that a stream gives, without its end; lines above `maxLineLength` are cut there. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  let isCut = false;
  const end = (line: string) => {
    if (!isCut) onLine(line.slice(0, maxLineLength));
    isCut = false;
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(end);
    if (rest.length > maxLineLength) {
      end(rest);
      isCut = true;
      rest = '';
    } else if (isCut) rest = '';
  });
  stream.on('end', () => {
    if (rest !== '') end(rest);
  });
  // A broken pipe is an end like another; the process's own end is told by who started it.
  stream.on('error', () => undefined);
}
