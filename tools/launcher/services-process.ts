import { ConfigurationError, type Environment } from '#lib/config';
import { runInProcess, type RunningServices } from './run-in-process.js';
import type { ServiceAnswer } from './service-process.js';
import { services } from './services.js';

/** What the launcher sends once the servers run. */
export interface StartServices {
  environments: Record<string, Environment>;
}

/**
 * The program that runs all services in one process, a child of the launcher: an error that ends it ends neither the
 * launcher nor PostgreSQL and NATS, and the launcher starts it again. Runs until SIGTERM, which drains.
 */
// Loading the code takes as long as starting the servers; a failure comes back when the service is started.
for (const service of services) service.load().catch(() => undefined);

let running: RunningServices | undefined;
let isStarting = false;
let isStopping = false;

process.once('message', (order) => {
  const { environments } = order as StartServices;
  isStarting = true;
  runInProcess(services, async (name) => environments[name] ?? {}).then(
    (started) => {
      running = started;
      if (isStopping) return drain();
      send({ kind: 'ready', url: started.url });
    },
    (error: unknown) => {
      isStarting = false;
      // What is wrong with a setting is in its message in full.
      if (!(error instanceof ConfigurationError)) console.error(error);
      if (isStopping) process.exit(1);
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    },
  );
});

process.on('SIGTERM', () => {
  if (isStopping) return;
  isStopping = true;
  // What still starts is stopped once it runs; the launcher ends us if that takes too long.
  if (running || !isStarting) drain();
});

function drain(): void {
  (running?.stop() ?? Promise.resolve()).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

function send(reply: ServiceAnswer): void {
  process.send?.(reply);
}
