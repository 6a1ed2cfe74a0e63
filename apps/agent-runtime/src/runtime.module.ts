import { auditController } from '#lib/audit';
import { RotationAtStart, sealerFrom } from '#lib/auth';
import { Bus, CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import { policyOf } from '#lib/net-guard';
import type { Logger } from '#lib/observability';
import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { type Config, platformModels } from './config.js';
import { RuntimeAccountRemoval } from './agents/account-removal.js';
import { AgentRemoval } from './agents/agent-removal.js';
import { McpController } from './mcp/mcp.controller.js';
import { McpPool } from './mcp/mcp-pool.js';
import { OwnServersRepository } from './mcp/registry/own-servers.repository.js';
import { McpAccessRepository } from './mcp/registry/mcp-access.repository.js';
import { McpRegistry } from './mcp/registry/mcp-registry.js';
import { countMcpServers, McpServersRepository, sealedServerSecrets } from './mcp/registry/mcp-servers.repository.js';
import { ModelCatalogue } from './models/list-models.js';
import { ModelsController } from './models/models.controller.js';
import { RefusedKeysRepository } from './models/refused-keys.repository.js';
import { ServerDefault } from './models/server-default.js';
import { AttemptsRepository } from './runs/attempts.repository.js';
import { RunsController } from './runs/runs.controller.js';
import { Retention } from './sessions/retention.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { UnfinishedTurnsRepository } from './sessions/unfinished-turns.repository.js';
import { Prices } from './usage/prices.js';
import { TurnWorker } from './turns/turn-worker.js';

const redirectUriOf = (config: Config) =>
  config.ROOST_MCP_REDIRECT_URI ?? `${config.PUBLIC_URL.replace(/\/$/, '')}/v1/mcp/oauth/callback`;

/** The worker pool: claims turns, keeps sessions, knows models and MCP servers. */
@Module({
  controllers: [
    SessionsController,
    RunsController,
    ModelsController,
    McpController,
    auditController('runtime'),
    quotaUseController('runtime', {
      mcp_servers: countMcpServers,
    }),
  ],
  providers: [
    RuntimeAccountRemoval,
    AccountLimits,
    AgentRemoval,
    {
      provide: SessionsRepository,
      inject: [Database],
      useFactory: (database: Database) => new SessionsRepository(database),
    },
    {
      provide: AttemptsRepository,
      inject: [Database],
      useFactory: (database: Database) => new AttemptsRepository(database),
    },
    {
      provide: McpAccessRepository,
      inject: [Database],
      useFactory: (database: Database) => new McpAccessRepository(database),
    },
    {
      provide: Retention,
      inject: [Database, CONFIG],
      useFactory: (database: Database, config: Config) =>
        new Retention(database, {
          transcript: config.ROOST_TRANSCRIPT_DAYS,
          usage: config.ROOST_USAGE_DAYS,
          runs: config.ROOST_RUN_DAYS,
        }),
    },
    {
      provide: ModelCatalogue,
      inject: [CONFIG],
      useFactory: (config: Config) => new ModelCatalogue(platformModels(config)),
    },
    {
      provide: McpPool,
      inject: [Bus, CONFIG],
      useFactory: (bus: Bus, config: Config) => new McpPool(bus, policyOf(config.ROOST_MCP_NETWORK)),
    },
    {
      provide: McpRegistry,
      inject: [Database, McpAccessRepository, McpPool, CONFIG],
      useFactory: (database: Database, access: McpAccessRepository, pool: McpPool, config: Config) =>
        new McpRegistry(
          new McpServersRepository(database, sealerFrom(config)),
          access,
          new OwnServersRepository(database),
          pool,
          {
            policy: policyOf(config.ROOST_MCP_NETWORK),
            redirectUri: redirectUriOf(config),
          },
        ),
    },
    {
      provide: RotationAtStart,
      inject: [Database, CONFIG, LOGGER],
      useFactory: (database: Database, config: Config, logger: Logger) =>
        new RotationAtStart(database, sealerFrom(config), sealedServerSecrets, logger),
    },
    {
      provide: TurnWorker,
      inject: [Bus, Database, SessionsRepository, McpRegistry, McpPool, CONFIG, LOGGER],
      useFactory: (
        bus: Bus,
        database: Database,
        sessions: SessionsRepository,
        registry: McpRegistry,
        pool: McpPool,
        config: Config,
        logger: Logger,
      ) =>
        new TurnWorker(
          {
            bus,
            sessions,
            platform: platformModels(config),
            serverDefault: new ServerDefault(platformModels(config)),
            mcp: { registry, pool },
            unfinished: new UnfinishedTurnsRepository(database),
            refusedKeys: new RefusedKeysRepository(database),
            attempts: new AttemptsRepository(database),
            prices: new Prices(config.ROOST_MODEL_PRICES ?? {}),
            logger,
          },
          { maxTurns: config.ROOST_MAX_TURNS, accountTurns: config.ROOST_ACCOUNT_TURNS },
          config.ROOST_SHUTDOWN_GRACE_SECONDS * 1_000,
        ),
    },
  ],
})
export class RuntimeModule {}
