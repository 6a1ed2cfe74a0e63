import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { readConfig, WorkspaceConfig } from '../config.js';
import { readHead } from './read-head.js';

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
  const config = WorkspaceConfig.parse(JSON.parse(await readHead(readable, '\n', maxConfigBytes, 'the configuration')));
  return { config, line: Duplex.from({ readable, writable }) };
}
