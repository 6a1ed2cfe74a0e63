import {
  Bus,
  connectBus,
  InfraModule,
  isReady,
  measureService,
  nestLogger,
  runIfMain,
  serveHealth,
  startEventDelivery,
  startSweeps,
  type StartService,
} from '#lib/bus';
import { loadConfig } from '#lib/config';
import { Database } from '#lib/database';
import { createLogger, serveMetrics } from '#lib/observability';
import { startTracing } from '#lib/tracing';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import 'reflect-metadata';
import { OpenRequests } from './access/open-requests.js';
import { watchAccess } from './access/watch-access.js';
import { ApiKeys } from './accounts/api-keys.js';
import { Authenticator } from './accounts/authenticator.js';
import { gatewayConfigSchema } from './config.js';
import { controllers, GatewayModule } from './gateway.module.js';
import { serveDashboard } from './dashboard/serve-dashboard.js';
import { AccessGuard } from './http/access.guard.js';
import { addAuthentication } from './http/authenticate.js';
import { checkRoutes } from './http/check-routes.js';
import { boundBodies } from './http/bound-bodies.js';
import { watchRequests } from './http/drain.js';
import { finishBodies } from './http/finish-bodies.js';
import { endHeadBodies } from './http/head-requests.js';
import { answerOddRequests, frameworkError, protocolError } from './http/odd-requests.js';
import { measureRequests } from './http/measure-requests.js';
import { registerHttpPlugins } from './http/register-http-plugins.js';
import { traceRequests } from './http/trace-requests.js';
import { addBodyParsers } from './http/body-parsers.js';
import { encodeResults } from './http/encode-results.js';
import { addBodyForms } from './http/read-body.js';
import { addRootPage } from './http/root-page.js';
import { AddressLimiter } from './limits/address-limiter.js';
import { LongRequests } from './limits/long-requests.js';
import { boundConnections } from './limits/bound-connections.js';
import { RateLimiter } from './limits/rate-limiter.js';
import { addCallContext, requestIdOf } from './http/request.js';
import { addIdempotency } from './idempotency/idempotency.hooks.js';
import { IdempotencyRepository } from './idempotency/idempotency.repository.js';
import { AccountQuotas1795900000000 } from './migrations/account-quotas-1795900000000.js';
import { Audit1797000200000 } from './migrations/audit-1797000200000.js';
import { AccountOperators1797300000000 } from './migrations/account-operators-1797300000000.js';
import { Accounts1795560000000 } from './migrations/accounts-1795560000000.js';
import { BrowserSessions1797100000000 } from './migrations/browser-sessions-1797100000000.js';
import { Credentials1795700200000 } from './migrations/credentials-1795700200000.js';
import { Idempotency1795560100000 } from './migrations/idempotency-1795560100000.js';
import { IdempotencyCalls1798100000000 } from './migrations/idempotency-calls-1798100000000.js';
import { IdempotencyFirstCall1798300000000 } from './migrations/idempotency-first-call-1798300000000.js';
import { SignIn1795560300000 } from './migrations/sign-in-1795560300000.js';
import { TokenKeys1796500000000 } from './migrations/token-keys-1796500000000.js';
import { Users1795560200000 } from './migrations/users-1795560200000.js';
import { serveOpenApi } from './openapi/serve-openapi.js';

/** 10 MiB of file content as base64, or as JSON with escapes, and the rest of a body around it. */
const BODY_LIMIT_BYTES = 32 * 1024 * 1024;

/**
 * Connections that wait to be accepted, up to the system's own limit. Beyond it the kernel drops an opening, whose
 * client tries again after 1, 3 and 7 s: with Node's 511 a thousand streams opened at once did that to everybody else.
 */
const MAX_WAITING_CONNECTIONS = 4_096;

/** How long a stop waits for requests in hand. */
const DRAIN_MS = 10_000;

/** Starts the gateway; it listens when this resolves. */
export const start: StartService = async (env, inProcess) => {
  const settings = loadConfig(gatewayConfigSchema, env);
  checkRoutes(controllers);
  const logger = createLogger('gateway', env);
  const tracing = await startTracing(settings, 'gateway', logger);
  const { tracer } = tracing;
  const connection = await connectBus(settings, 'gateway', logger);
  const database = await Database.open({
    url: settings.DATABASE_URL,
    poolSize: settings.DATABASE_POOL_SIZE,
    schema: 'gateway',
    tracer,
    logger,
    migrations: [
      ...[Accounts1795560000000, Idempotency1795560100000, Users1795560200000, SignIn1795560300000],
      Credentials1795700200000,
      AccountQuotas1795900000000,
      TokenKeys1796500000000,
      Audit1797000200000,
      BrowserSessions1797100000000,
      AccountOperators1797300000000,
      IdempotencyCalls1798100000000,
      IdempotencyFirstCall1798300000000,
    ],
  });
  const bus = new Bus(connection, 'gateway', inProcess, tracer);

  @Module({ imports: [InfraModule.with({ bus, database, config: settings, logger }), GatewayModule] })
  class GatewayRoot {}

  const trustedProxies = settings.ROOST_TRUSTED_PROXIES.split(/[\s,]+/).filter(Boolean);
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    routerOptions: { maxParamLength: 8_192 },
    clientErrorHandler: protocolError,
    frameworkErrors: frameworkError,
    // Bodies have a bound of their own: a large upload takes as long as it makes progress.
    requestTimeout: 0,
    http: {
      headersTimeout: settings.ROOST_SLOW_REQUEST_SECONDS * 1_000,
      connectionsCheckingInterval: Math.min(5_000, settings.ROOST_SLOW_REQUEST_SECONDS * 250),
    },
    forceCloseConnections: 'idle',
  });
  const app = await NestFactory.create<NestFastifyApplication>(GatewayRoot, adapter, {
    logger: nestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', requestIdOf(request));
    done();
  });
  traceRequests(fastify, tracer);
  const drain = watchRequests(fastify);
  boundBodies(fastify, settings.ROOST_SLOW_REQUEST_SECONDS * 1_000);
  boundConnections(fastify.server, settings.ROOST_MAX_CONNECTIONS_PER_ADDRESS, trustedProxies);
  measureRequests(fastify);
  finishBodies(fastify);
  endHeadBodies(fastify);
  await registerHttpPlugins(app, fastify, settings.ROOST_CORS_ORIGINS);
  await serveDashboard(fastify);
  addAuthentication(fastify, {
    authenticator: app.get(Authenticator),
    guard: app.get(AccessGuard),
    rateLimiter: app.get(RateLimiter),
    addresses: app.get(AddressLimiter),
    longRequests: app.get(LongRequests),
  });
  answerOddRequests(fastify);
  addBodyParsers(fastify, BODY_LIMIT_BYTES);
  addBodyForms(fastify);
  encodeResults(fastify);
  addIdempotency(fastify, app.get(IdempotencyRepository));
  watchAccess(fastify, app.get(OpenRequests));
  addCallContext(fastify);
  serveOpenApi(fastify);
  addRootPage(fastify);

  if (settings.ROOST_LOCAL_API_KEY) await app.get(ApiKeys).registerLocalKey(settings.ROOST_LOCAL_API_KEY);
  const delivery = startEventDelivery(app, { bus, database, logger });
  const sweeps = startSweeps(app, { service: 'gateway', database, logger });
  const health = serveHealth(bus, database, (error, subject) =>
    logger.error({ err: error, subject }, 'a request failed unexpectedly'),
  );
  const stopMeasuring = measureService('gateway', connection, database);
  await app.listen({ port: settings.PORT, host: settings.HOST, backlog: MAX_WAITING_CONNECTIONS });
  const metrics =
    settings.ROOST_METRICS_PORT === undefined
      ? undefined
      : await serveMetrics(settings.ROOST_METRICS_PORT, settings.HOST, () => isReady(connection, database));
  const url = await app.getUrl();
  logger.info({ url, metrics: metrics?.url }, 'listening');

  return {
    name: 'gateway',
    url: url.replace('[::1]', 'localhost'),
    ...(metrics ? { metricsUrl: metrics.url } : {}),
    async stop() {
      if (!connection.isClosed()) health.unsubscribe();
      await Promise.all([app.close(), drain(DRAIN_MS)]);
      await metrics?.stop();
      stopMeasuring();
      await sweeps.stop();
      await delivery.stop();
      await database.close();
      if (!connection.isClosed()) await connection.drain();
      await tracing.stop();
      logger.info('stopped');
    },
  };
};

export { gatewayConfigSchema as config };

runIfMain(import.meta.url, start, gatewayConfigSchema);
