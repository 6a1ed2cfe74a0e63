import { auditController } from '#lib/audit';
import { Sealer, sealerFrom } from '#lib/auth';
import { Bus, CONFIG, HEALTH_DETAILS, type HealthDetails, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { AccountLimits, quotaUseController } from '#lib/quotas';
import { Module } from '@nestjs/common';
import { LifecycleAccountRemoval } from './agents/account-removal.js';
import { AgentChecks } from './agents/agent-checks.js';
import { AgentRecords } from './agents/agent-records.js';
import { AgentViews } from './agents/agent-views.js';
import { AllowedCalls } from './agents/allowed-calls.js';
import { AgentsController } from './agents/agents.controller.js';
import { countAgents, storedBytes } from './agents/agents.repository.js';
import { AgentsService } from './agents/agents.service.js';
import { InternalAgentsController } from './agents/internal.controller.js';
import { OtherServices } from './agents/other-services.js';
import { BalanceController } from './balance/balance.controller.js';
import { BalanceService } from './balance/balance.service.js';
import { BudgetsController } from './budgets/budgets.controller.js';
import { BudgetsService } from './budgets/budgets.service.js';
import type { LifecycleConfig } from './config.js';
import { PermissionsController } from './permissions/permissions.controller.js';
import { ProviderKeysController } from './provider-keys/provider-keys.controller.js';
import { countProviderKeys } from './provider-keys/provider-keys.repository.js';
import { ProviderKeysService } from './provider-keys/provider-keys.service.js';
import type { WorkspaceDriver } from './sandboxes/index.js';
import { StatesController } from './states/states.controller.js';
import { StatesService } from './states/states.service.js';
import { StatusChanges } from './states/status-changes.js';
import { UsageController } from './usage/usage.controller.js';
import { UsageSums } from './usage/usage-sums.js';
import { AccessTokens } from './vault/access-tokens.js';
import { countGrants } from './vault/grants.repository.js';
import { GrantApprovals } from './vault/grant-approvals.js';
import { GrantsService } from './vault/grants.service.js';
import { VaultChanges } from './vault/vault-changes.js';
import { VaultController } from './vault/vault.controller.js';
import { VaultHeaders } from './vault/vault-headers.js';
import { VaultGrantSource } from './vault/vault-grant-source.js';
import { countSecrets } from './vault/vault.repository.js';
import { VaultService } from './vault/vault.service.js';
import { VaultValues } from './vault/vault-values.js';
import { Activity } from './workspaces/activity.js';
import { countAwake } from './workspaces/awake-leases.repository.js';
import { AwakeLeases } from './workspaces/awake-leases.js';
import { ColdStarts } from './workspaces/cold-starts.js';
import { WorkspaceFailures } from './workspaces/failures.js';
import { GrantParts } from './documents/grant-parts.js';
import { AgentParts } from './documents/agent-parts.js';
import { DocumentChanges } from './documents/document-changes.js';
import { DocumentPlans } from './documents/document-plans.js';
import { DocumentsController } from './documents/documents.controller.js';
import { DocumentsService } from './documents/documents.service.js';
import { DRIVER, makeDriver } from './workspaces/make-driver.js';
import { Maintenance, ReconcileLoop } from './workspaces/reconcile-loop.js';
import { Reconciler } from './workspaces/reconciler.js';
import { VersionRecords } from './versions/version-records.js';
import { VersionsController } from './versions/versions.controller.js';
import { VersionsService } from './versions/versions.service.js';
import { WorkspaceFiles } from './workspaces/workspace-files.js';
import { WorkspaceLauncher, WorkspaceSpecs } from './workspaces/workspace-launcher.js';
import { WorkspaceUpdates } from './workspaces/workspace-updates.js';
import { WorkspaceMetrics } from './workspaces/workspace-metrics.js';
import { WorkspacesController } from './workspaces/workspaces.controller.js';
import { WorkspacesService } from './workspaces/workspaces.service.js';

@Module({
  controllers: [
    AgentsController,
    AllowedCalls,
    InternalAgentsController,
    VersionsController,
    PermissionsController,
    DocumentsController,
    StatesController,
    BalanceController,
    BudgetsController,
    UsageController,
    WorkspacesController,
    ProviderKeysController,
    VaultController,
    auditController('lifecycle'),
    quotaUseController('lifecycle', {
      agents: countAgents,
      stored_bytes: storedBytes,
      awake_workspaces: countAwake,
      provider_keys: countProviderKeys,
      vault_secrets: countSecrets,
      vault_grants: countGrants,
    }),
  ],
  providers: [
    { provide: Sealer, useFactory: (config: LifecycleConfig) => sealerFrom(config), inject: [CONFIG] },
    {
      provide: DRIVER,
      useFactory: (
        config: LifecycleConfig,
        bus: Bus,
        logger: Logger,
        database: Database,
        sealer: Sealer,
        grants: VaultGrantSource,
      ) => makeDriver(config, { bus, logger, database, sealer, grants }),
      inject: [CONFIG, Bus, LOGGER, Database, Sealer, VaultGrantSource],
    },
    {
      provide: HEALTH_DETAILS,
      useFactory:
        (driver: WorkspaceDriver): HealthDetails =>
        () =>
          driver.isolation(),
      inject: [DRIVER],
    },
    AccountLimits,
    OtherServices,
    ...[AgentRecords, AgentChecks, AgentViews, AgentsService, LifecycleAccountRemoval],
    ...[VersionRecords, VersionsService],
    ...[AgentParts, GrantParts, DocumentPlans, DocumentChanges, DocumentsService],
    ...[BalanceService, BudgetsService, UsageSums, ProviderKeysService],
    ...[VaultService, GrantsService, GrantApprovals, VaultValues, VaultChanges, AccessTokens, VaultHeaders],
    VaultGrantSource,
    ...[StatusChanges, StatesService],
    ...[AwakeLeases, ColdStarts, Activity, WorkspaceFailures, WorkspaceFiles],
    ...[WorkspaceSpecs, WorkspaceLauncher, WorkspaceUpdates, WorkspacesService, WorkspaceMetrics],
    ...[Reconciler, Maintenance, ReconcileLoop],
  ],
})
export class LifecycleModule {}
