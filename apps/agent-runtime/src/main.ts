import './blank-variables.js';
import { runIfMain, startService, type StartService } from '#lib/bus';
import { Config } from './config.js';
import { migrations } from './migrations/index.js';
import { RuntimeModule } from './runtime.module.js';

// The SDK would print its warnings between our log lines.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** Starts the service: its workers claim turns as soon as this resolves. */
export const start: StartService = (env, inProcess) =>
  startService({
    name: 'agent-runtime',
    env,
    inProcess,
    config: Config,
    module: RuntimeModule,
    database: { schema: 'runtime', migrations },
  });

export { Config as config };

runIfMain(import.meta.url, start, Config);
