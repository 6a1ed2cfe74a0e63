import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { RoostError } from '#lib/contracts/errors';
import { services } from './services.js';

export interface LauncherOptions {
  port: number;
  host: string;
  dataDir: string;
  separateProcesses: boolean;
  /** Processes per service, for those that shall have more than one. */
  replicas: Record<string, number>;
  isVerbose: boolean;
  /** Shows what services would use, and starts nothing. */
  printsConfig: boolean;
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
    separateProcesses: values.processes || values.replicas.length > 0,
    replicas: Object.fromEntries(values.replicas.map(readReplicas)),
    isVerbose: values.verbose,
    printsConfig: values['print-config'],
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
        replicas: { type: 'string', multiple: true, default: [] },
        verbose: { type: 'boolean', default: false },
        'print-config': { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    const message = error instanceof Error ? error.message.split(/\.?\s*\n|\. /)[0] : String(error);
    throw new RoostError('VALIDATION_ERROR', `${message}. See --help.`);
  }
}

function readReplicas(given: string): [string, number] {
  const [, name = '', count = ''] = /^([a-z-]+)=([1-9]|1[0-6])$/.exec(given) ?? [];
  // Two gateways would need two ports.
  if (name === 'gateway' || !services.some((service) => service.name === name)) {
    const names = services.map((service) => service.name).filter((known) => known !== 'gateway');
    throw new RoostError(
      'VALIDATION_ERROR',
      `--replicas must be SERVICE=COUNT (1 to 16), SERVICE being one of ${names.join(', ')}; not "${given}".`,
    );
  }
  return [name, Number(count)];
}
