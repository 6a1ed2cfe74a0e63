import './blank-variables.js';
import { runIfMain, startService, type StartService } from '#lib/bus';
import { Config } from './config.js';
import { Attempts1796700000000 } from './migrations/attempts-1796700000000.js';
import { McpHealth1796010000000 } from './migrations/mcp-health-1796010000000.js';
import { Audit1797000200000 } from './migrations/audit-1797000200000.js';
import { DeletedAccounts1795710300000 } from './migrations/deleted-accounts-1795710300000.js';
import { EndedSessions1797700000000 } from './migrations/ended-sessions-1797700000000.js';
import { OwnMcpServers1797400300000 } from './migrations/own-mcp-servers-1797400300000.js';
import { Mcp1795550100000 } from './migrations/mcp-1795550100000.js';
import { Sessions1795550000000 } from './migrations/sessions-1795550000000.js';
import { TurnEnds1795560000000 } from './migrations/turn-ends-1795560000000.js';
import { SuspendedTurns1797400000000 } from './migrations/suspended-turns-1797400000000.js';
import { Versions1797100000000 } from './migrations/versions-1797100000000.js';
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
    database: {
      schema: 'runtime',
      migrations: [
        Sessions1795550000000,
        Mcp1795550100000,
        TurnEnds1795560000000,
        DeletedAccounts1795710300000,
        McpHealth1796010000000,
        Attempts1796700000000,
        Audit1797000200000,
        Versions1797100000000,
        SuspendedTurns1797400000000,
        OwnMcpServers1797400300000,
        EndedSessions1797700000000,
      ],
    },
  });

export { Config as config };

runIfMain(import.meta.url, start, Config);
