import { healthCheck } from '#lib/contracts';
import { serve } from '#lib/bus/rpc';
import { type Environment, loadConfig, type RunningService } from '#lib/config';
import { Database } from '#lib/database';
import { createLogger } from '#lib/observability';
import { hostname } from 'node:os';
import { Config, platformModels } from './config.js';
import { Sessions1795550000000 } from './migrations/sessions-1795550000000.js';
import { connectBus, natsBus } from './nats-bus.js';
import { SessionStore } from './sessions/session-store.js';
import { runTurn } from './turns/run-turn.js';
import { WorkerPool } from './turns/worker-pool.js';

// The SDK would print its warnings between our log lines.
globalThis.AI_SDK_LOG_WARNINGS = false;

const NAME = 'agent-runtime';
const POLL_MS = 1_000;
/** How long running turns may go on after a stop was asked for. */
const GRACE_MS = 25_000;

/** Starts a brain: it works as soon as this resolves. */
export async function start(env: Environment): Promise<RunningService> {
  const config = loadConfig(Config, env);
  const logger = createLogger(NAME);
  const connection = await connectBus(config.NATS_URL, config.NATS_CREDS, NAME);
  const bus = natsBus(connection);
  const database = await Database.open({ url: config.DATABASE_URL, schema: 'runtime', migrations: [Sessions1795550000000], poolSize: config.DATABASE_POOL_SIZE });
  const sessions = new SessionStore(database);
  const runner = { bus, sessions, platform: platformModels(config), logger };
  const onUnexpected = (err: unknown, subject: string) => logger.error({ err, subject }, 'a request failed unexpectedly');

  const health = healthCheck(NAME);
  serve(connection, health, health.subject, () => ({ dependencies: { nats: 'up' as const } }), onUnexpected, NAME);

  const pool = new WorkerPool(
    bus,
    { workerId: `${hostname()}-${process.pid}`, maxTurns: config.ROOST_MAX_TURNS, pollMs: POLL_MS, run: (turn, abort) => runTurn(runner, turn, abort) },
    logger,
  );
  pool.start();
  return {
    name: NAME,
    stop: async () => {
      await pool.stop(GRACE_MS);
      await connection.drain();
      await database.close();
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const service = await start(process.env);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void service.stop().then(() => process.exit(0)));
}
