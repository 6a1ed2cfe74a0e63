import { type Environment, printConfig } from '#lib/config';
import type { InProcessRegistry } from '#lib/rpc';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';

/** A service that was started, whether alone or beside others in one process. */
export interface RunningService {
  readonly name: string;
  /** Where it listens, if it listens. */
  readonly url?: string;
  /** Where its metrics are, if it serves them. */
  readonly metricsUrl?: string;
  /** Drains and stops it: takes nothing new, finishes what runs, closes its connections. */
  stop(): Promise<void>;
}

/** Every app's `main.ts` exports one. `inProcess` holds the services that run in the same process, if any do. */
export type StartService = (env: Environment, inProcess?: InProcessRegistry) => Promise<RunningService>;

/** Runs a service by itself when its `main.ts` is the program: until SIGTERM or SIGINT, with `--print-config`. */
export function runIfMain(moduleUrl: string, start: StartService, config?: z.ZodObject): void {
  if (!process.argv[1] || realpathSync(process.argv[1]) !== fileURLToPath(moduleUrl)) return;
  if (config && process.argv.includes('--print-config')) {
    console.log(printConfig(config, process.env));
    return;
  }
  runUntilStopped(start(process.env));
}

/** Keeps the process until SIGTERM or SIGINT, then stops the service and ends. */
export function runUntilStopped(starting: Promise<RunningService>): void {
  starting.then(
    (service) => {
      const stop = () => {
        process.off('SIGTERM', stop).off('SIGINT', stop);
        service.stop().then(
          () => process.exit(0),
          (error: unknown) => {
            console.error(error);
            process.exit(1);
          },
        );
      };
      process.on('SIGTERM', stop).on('SIGINT', stop);
      // To the launcher, when it started us.
      process.send?.({ kind: 'ready', url: service.url });
    },
    (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      console.error(message);
      if (process.send) process.send({ kind: 'failed', message }, () => process.exit(1));
      else process.exit(1);
    },
  );
}
