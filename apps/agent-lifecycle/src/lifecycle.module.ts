import { Sealer, sealerFrom } from '#lib/auth';
import { Bus, CONFIG, HEALTH_DETAILS, type HealthDetails, LOGGER } from '#lib/bus';
import type { Logger } from '#lib/observability';
import { AccountLimits, countRows, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { storedBytesOf } from './agents/agent-quotas.js';
import { AgentsHandlers } from './agents/agents.handlers.js';
import { ForgetAccount } from './agents/forget-account.js';
import { ServiceHandlers } from './agents/service.handlers.js';
import { BalanceHandlers } from './balance/balance.handlers.js';
import type { LifecycleConfig } from './config.js';
import { AwakeLeases, awakeOf } from './hands/awake-leases.js';
import { DRIVER, makeDriver } from './hands/make-driver.js';
import { ReconcileLoop } from './hands/reconcile-loop.js';
import { WorkspaceKeeper } from './hands/workspace-keeper.js';
import { WorkspaceHandlers } from './hands/workspace.handlers.js';
import type { WorkspaceDriver } from './workspaces/index.js';
import { ProviderKeysHandlers } from './provider-keys/provider-keys.handlers.js';
import { StatesHandlers } from './states/states.handlers.js';

@Module({
  controllers: [
    AgentsHandlers,
    ServiceHandlers,
    StatesHandlers,
    BalanceHandlers,
    WorkspaceHandlers,
    ProviderKeysHandlers,
    quotaUseController('lifecycle', {
      agents: (database, accountId) => countRows(database, 'agents', accountId),
      stored_bytes: storedBytesOf,
      awake_workspaces: awakeOf,
      provider_keys: (database, accountId) => countRows(database, 'account_provider_keys', accountId),
    }),
  ],
  providers: [
    { provide: Sealer, useFactory: (config: LifecycleConfig) => sealerFrom(config), inject: [CONFIG] },
    {
      provide: DRIVER,
      useFactory: (config: LifecycleConfig, bus: Bus, logger: Logger) => makeDriver(config, bus, logger),
      inject: [CONFIG, Bus, LOGGER],
    },
    {
      provide: HEALTH_DETAILS,
      useFactory:
        (driver: WorkspaceDriver): HealthDetails =>
        () =>
          driver.isolation(),
      inject: [DRIVER],
    },
    ForgetAccount,
    AccountLimits,
    AwakeLeases,
    WorkspaceKeeper,
    ReconcileLoop,
  ],
})
export class LifecycleModule {}
