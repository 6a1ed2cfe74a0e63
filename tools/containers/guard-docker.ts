import { type Environment, loadConfig } from '#lib/config';
import { createLogger } from '#lib/observability';
import { z } from 'zod';
import { startGuard } from '../../apps/agent-lifecycle/src/sandboxes/docker/guard/start-guard.js';

const Config = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(2375),
  ROOST_DOCKER_SOCKET: z.string().default('/var/run/docker.sock'),
  // As agent-lifecycle has them.
  ROOST_DOCKER_INSTANCE: z.string().default('roost'),
  ROOST_DOCKER_RUNTIME: z.string().optional(),
  ROOST_WORKSPACE_IMAGE: z.string().default('roost-workspace:latest'),
});

/** Serves the guarded Docker API until the process is ended. */
export async function guardDocker(env: Environment): Promise<void> {
  const config = loadConfig(Config, env);
  const logger = createLogger('docker-guard', env);
  const server = await startGuard({
    socketPath: config.ROOST_DOCKER_SOCKET,
    port: config.PORT,
    instance: config.ROOST_DOCKER_INSTANCE,
    runtime: config.ROOST_DOCKER_RUNTIME,
    image: config.ROOST_WORKSPACE_IMAGE,
    log: (fields, message) => logger.warn(fields, message),
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
      process.exit(0);
    });
  }
  logger.info({ port: config.PORT }, 'started');
}
