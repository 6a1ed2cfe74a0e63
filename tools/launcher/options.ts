import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RoostError } from '#lib/contracts';

export interface LauncherOptions {
  port: number;
  host: string;
  dataDir: string;
  separateProcesses: boolean;
  isVerbose: boolean;
}

/** Errors: VALIDATION_ERROR naming the argument. */
export function readOptions(args: string[]): LauncherOptions {
  const { values } = parse(args);
  const port = Number(values.port);
  if (!/^\d{1,5}$/.test(values.port) || port > 65_535) {
    throw new RoostError('VALIDATION_ERROR', `--port must be a number from 0 to 65535, not "${values.port}".`);
  }
  return {
    port,
    host: values.host,
    dataDir: resolve(values.data),
    separateProcesses: values.processes,
    isVerbose: values.verbose,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '3000' },
        host: { type: 'string', default: '127.0.0.1' },
        data: { type: 'string', default: './.roost' },
        processes: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    const message = error instanceof Error ? error.message.split(/\.?\s*\n|\. /)[0] : String(error);
    throw new RoostError('VALIDATION_ERROR', `${message}. See --help.`);
  }
}
