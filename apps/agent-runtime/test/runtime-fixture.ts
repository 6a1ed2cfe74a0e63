import { freshBus, type FreshBus, freshDatabase, type FreshDatabase } from '#lib/testing';
import type { RunningService } from '#lib/bus';
import type { NatsConnection } from '@nats-io/transport-node';
import { start } from '../src/main.js';
import { ServiceDoubles } from './service-doubles.js';
import { MessagingDouble } from './messaging-double.js';
import { WorkspaceDouble } from './workspace-double.js';

/** A real runtime on a real bus and database, with the rest of Roost played by the test. */
export interface RuntimeFixture {
  platform: MessagingDouble;
  workspace: WorkspaceDouble;
  services: ServiceDoubles;
  connection: NatsConnection;
  bus: FreshBus;
  database: FreshDatabase;
  service: RunningService;
  /** One more runtime on the same bus and database. */
  worker(): Promise<RunningService>;
  stop(): Promise<void>;
}

export async function startRuntime(env: Record<string, string> = {}): Promise<RuntimeFixture> {
  const [bus, database] = await Promise.all([freshBus('agent-runtime'), freshDatabase()]);
  const connection = await bus.connect();
  const platform = new MessagingDouble(connection);
  const workspace = new WorkspaceDouble(connection, platform.agentId);
  const services = new ServiceDoubles(connection);
  const worker = () => start(settings);
  const settings = {
    NATS_URL: bus.url,
    NATS_CREDS: bus.serviceCreds,
    DATABASE_URL: database.url,
    DATABASE_POOL_SIZE: '4',
    ROOST_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    ROOST_MCP_NETWORK: 'local',
    ...env,
  };
  const running = await worker();
  let stopped: Promise<void> | undefined;
  const service = { ...running, stop: () => (stopped ??= running.stop()) };
  return {
    platform,
    workspace,
    services,
    connection,
    bus,
    database,
    service,
    worker,
    stop: async () => {
      await service.stop();
      await connection.close();
      bus.release();
      await database.drop();
    },
  };
}
