import { type Environment, loadConfig, type TraceSettings } from '#lib/config';
import { healthCheck } from '#lib/contracts';
import { Database, type DatabaseOptions } from '#lib/database';
import { createLogger, type Logger, outliveRejections, serveMetrics } from '#lib/observability';
import { type InProcessRegistry, serve } from '#lib/rpc';
import { startTracing } from '#lib/tracing';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import 'reflect-metadata';
import type { z } from 'zod';
import { Bus } from './bus.js';
import { measureService } from './bus-metrics.js';
import { BusServer } from './bus-server.js';
import { connectBus, type BusOptions } from './connect-bus.js';
import { startEventDelivery } from './event-delivery.js';
import { InfraModule } from './infra.module.js';
import { nestLogger } from './nest-logger.js';
import { isReady } from './readiness.js';
import { RpcErrorFilter } from './rpc-error.filter.js';
import type { RunningService } from './run-service.js';
import { startSweeps } from './start-sweeps.js';

/** Injection token of a service's `HealthDetails`: details about how it works here. */
export const HEALTH_DETAILS = Symbol('roost:health-details');
export type HealthDetails = () => Promise<Record<string, string>>;

export interface ServiceDefinition<S extends z.ZodRawShape> {
  /** Also the queue group and the durable consumer. */
  name: string;
  env: Environment;
  /** The services of this process, if it runs several. */
  inProcess?: InProcessRegistry | undefined;
  /** Spread `busEnvironment`, and `databaseEnvironment` if the service has rows, into it. */
  config: z.ZodObject<S>;
  module: Type | DynamicModule;
  /** The module provides HEALTH_DETAILS. */
  hasHealthDetails?: boolean;
  database?: Pick<DatabaseOptions, 'schema' | 'migrations'>;
}

/**
 * Starts a service: configuration, bus, database with its migrations, request handlers in a queue group, event
 * delivery, health answer. `stop()` drains in the opposite order: no new requests and events, then Nest's shutdown
 * hooks, then what the outbox still holds, then the connections.
 */
export async function startService<S extends z.ZodRawShape>(definition: ServiceDefinition<S>): Promise<RunningService> {
  const { name } = definition;
  const config = loadConfig(definition.config, definition.env) as z.output<z.ZodObject<S>> &
    BusOptions &
    TraceSettings & { DATABASE_URL: string; DATABASE_POOL_SIZE: number; HOST: string; ROOST_METRICS_PORT?: number };
  const logger = createLogger(name, definition.env);
  const onUnexpected = (error: unknown, subject: string) =>
    logger.error({ err: error, subject }, 'a request failed unexpectedly');
  const tracing = await startTracing(config, name, logger);
  const { tracer } = tracing;
  const connection = await connectBus(config, name, logger);
  const database = definition.database
    ? await Database.open({
        url: config.DATABASE_URL,
        poolSize: config.DATABASE_POOL_SIZE,
        tracer,
        logger,
        ...definition.database,
      }).catch(async (error: unknown) => {
        await connection.close();
        throw error;
      })
    : undefined;
  const bus = new Bus(connection, name, definition.inProcess, tracer);

  @Module({
    imports: [InfraModule.with({ bus, config, logger, ...(database ? { database } : {}) }), definition.module],
  })
  class ServiceRoot {}

  const server = new BusServer(connection, name, onUnexpected, tracer);
  const app = await NestFactory.createMicroservice(ServiceRoot, {
    strategy: server,
    logger: nestLogger(logger),
    abortOnError: false,
  });
  app.useGlobalFilters(new RpcErrorFilter(onUnexpected));
  await app.listen();
  if (definition.inProcess) server.serveInProcess(definition.inProcess);
  const delivery = database ? startEventDelivery(app, { bus, database, logger }) : undefined;
  const sweeps = startSweeps(app, { service: name, database, logger });
  const details = definition.hasHealthDetails ? app.get<HealthDetails>(HEALTH_DETAILS, { strict: false }) : undefined;
  const health = serveHealth(bus, database, onUnexpected, details);
  const stopMeasuring = measureService(name, connection, database);
  const metrics =
    config.ROOST_METRICS_PORT === undefined
      ? undefined
      : await serveMetrics(config.ROOST_METRICS_PORT, config.HOST, () => isReady(connection, database));
  const endCare = outliveRejections(logger);
  // Requests may come as soon as this resolves: the server has to know of the subscriptions by then.
  await connection.flush();
  logger.info({ metrics: metrics?.url }, 'started');

  return {
    name,
    ...(metrics ? { metricsUrl: metrics.url } : {}),
    async stop() {
      bus.beginStop();
      if (!connection.isClosed()) health.unsubscribe();
      await server.close();
      await sweeps.stop();
      await app.close();
      await delivery?.stop();
      await metrics?.stop();
      stopMeasuring();
      await database?.close();
      await closeConnection(bus, logger);
      endCare();
      await tracing.stop();
      logger.info('stopped');
    },
  };
}

/** Answers `<service>.health.check`: the database as it is now; that the answer arrives shows the bus. */
export function serveHealth(
  bus: Bus,
  database: Database | undefined,
  onUnexpected: (error: unknown, subject: string) => void,
  details?: HealthDetails,
) {
  const contract = healthCheck(bus.service);
  return serve(
    bus.connection,
    contract,
    contract.subject,
    async () => ({
      dependencies: {
        nats: 'up' as const,
        ...(database ? { postgres: (await database.isUp()) ? ('up' as const) : ('down' as const) } : {}),
      },
      ...(details ? { details: await details() } : {}),
    }),
    onUnexpected,
    bus.service,
  );
}

async function closeConnection(bus: Bus, logger: Logger): Promise<void> {
  if (bus.connection.isClosed()) return;
  await bus.connection
    .drain()
    .catch((error: unknown) => logger.warn({ err: error }, 'the bus connection did not drain'));
}
