import { Sealer, sealerFrom } from '#lib/auth';
import { Bus, CONFIG, HEALTH_DETAILS, type HealthDetails, LOGGER } from '#lib/bus';
import type { Logger } from '#lib/observability';
import { AccountLimits, countRows, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { storedBytesOf } from './agents/agent-quotas.js';
import { AgentsController } from './agents/agents.controller.js';
import { ForgetAccount } from './agents/forget-account.js';
import { InternalAgentsController } from './agents/internal.controller.js';
import { BalanceController } from './balance/balance.controller.js';
import type { LifecycleConfig } from './config.js';
import { AwakeLeases, awakeOf } from './workspaces/awake-leases.js';
import { DRIVER, makeDriver } from './workspaces/make-driver.js';
import { ReconcileLoop } from './workspaces/reconcile-loop.js';
import { WorkspacesService } from './workspaces/workspaces.service.js';
import { WorkspacesController } from './workspaces/workspaces.controller.js';
import type { WorkspaceDriver } from './sandboxes/index.js';
import { ProviderKeysController } from './provider-keys/provider-keys.controller.js';
import { StatesController } from './states/states.controller.js';

@Module({
  controllers: [
    AgentsController,
    InternalAgentsController,
    StatesController,
    BalanceController,
    WorkspacesController,
    ProviderKeysController,
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
    WorkspacesService,
    ReconcileLoop,
  ],
})
export class LifecycleModule {}
