import { Socket } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import { readConfig, WorkspaceConfig } from '../config.js';

const LINK_FD = 3;
const maxConfigBytes = 4 * 1024 * 1024;

export interface OpenLine {
  config: WorkspaceConfig;
  /** To the host. */
  line: Duplex;
}

/** In a local sandbox: the configuration is all of standard input, the line a socket pair that was handed down. */
export async function openSocketLine(): Promise<OpenLine> {
  const config = await readConfig(process.stdin);
  return { config, line: new Socket({ fd: LINK_FD, readable: true, writable: true }) };
}

/**
 * In a container: the configuration is the first line of standard input; what follows, with standard output as the way
 * back, is the line. Nothing else may ever be written to standard output.
 */
export async function openStandardLine(): Promise<OpenLine> {
  const readable = new Socket({ fd: 0, readable: true, writable: false });
  const writable = new Socket({ fd: 1, readable: false, writable: true });
  const config = WorkspaceConfig.parse(JSON.parse(await firstLine(readable)));
  return { config, line: Duplex.from({ readable, writable }) };
}

async function firstLine(input: Readable): Promise<string> {
  let read = Buffer.alloc(0);
  for (;;) {
    const chunk = input.read() as Buffer | null;
    if (chunk === null) {
      if (input.readableEnded || input.destroyed) throw new Error('the input ended before the configuration did');
      await new Promise<void>((resolve) => {
        const go = () => {
          input.off('readable', go).off('end', go).off('close', go);
          resolve();
        };
        input.on('readable', go).on('end', go).on('close', go);
      });
      continue;
    }
    read = Buffer.concat([read, chunk]);
    const end = read.indexOf('\n');
    if (end >= 0) {
      input.unshift(read.subarray(end + 1));
      return read.subarray(0, end).toString('utf8');
    }
    if (read.length > maxConfigBytes) throw new Error('the configuration is too long');
  }
}
