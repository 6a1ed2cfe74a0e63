import { Content, Workspaces } from '#lib/workspace-client';
import { RotationAtStart, Sealer, sealerFrom } from '#lib/auth';
import { CONFIG, LOGGER } from '#lib/bus';
import { Database } from '#lib/database';
import type { Logger } from '#lib/observability';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { Audit } from './audit/audit.js';
import { AuditController } from './audit/audit.controller.js';
import { AccountDeletion } from './accounts/account-deletion.js';
import { AccountsController } from './accounts/accounts.controller.js';
import { AccountAdmin } from './accounts/admin/account-admin.js';
import { AdminController } from './accounts/admin/admin.controller.js';
import { OperatorsController } from './accounts/admin/operators.controller.js';
import { HealthChecks } from './health/service-health.js';
import { ApiKeys } from './accounts/api-keys.js';
import { BrowserSessionsController } from './accounts/browser-sessions/browser-sessions.controller.js';
import { BrowserSessions } from './accounts/browser-sessions/browser-sessions.js';
import { SessionStart } from './accounts/browser-sessions/session-start.js';
import { SignInLinks } from './accounts/browser-sessions/sign-in-links.js';
import { CredentialsController } from './accounts/credentials.controller.js';
import { Authenticator } from './accounts/authenticator.js';
import { LoginLimits } from './accounts/login-limits.js';
import { LoginSessions } from './accounts/login-sessions.js';
import { OauthController } from './accounts/oauth/oauth.controller.js';
import { SignIns } from './accounts/oauth/sign-ins.js';
import { OwnerCheck } from './accounts/owner-check.js';
import { PasswordResets } from './accounts/password-resets.js';
import { PlatformKeysController } from './accounts/platform-keys.controller.js';
import { ProviderKeysController } from './accounts/provider-keys.controller.js';
import { Registrations } from './accounts/registrations.js';
import { AccountQuotas } from './accounts/quotas/account-quotas.js';
import { QuotasController } from './accounts/quotas/quotas.controller.js';
import { TrustedIssuers } from './accounts/issuers/trusted-issuers.js';
import { JwksController } from './accounts/tokens/jwks.controller.js';
import { SigningKeys } from './accounts/tokens/signing-keys.js';
import {
  sealedSigningKeys,
  sealedTokenKeys,
  SigningKeysRepository,
} from './accounts/tokens/signing-keys.repository.js';
import { Tokens } from './accounts/tokens/tokens.js';
import { Users } from './accounts/users.js';
import { OpenRequests } from './access/open-requests.js';
import { AgentsController } from './agents/agents.controller.js';
import { PublicTriggerController } from './automation/public-trigger.controller.js';
import { SchedulesController } from './automation/schedules.controller.js';
import { TriggersController } from './automation/triggers.controller.js';
import { ArchiveController } from './filesystem/archive.controller.js';
import { DocumentsController } from './documents/documents.controller.js';
import { ChannelWebhooksController } from './channels/channel-webhooks.controller.js';
import { ChannelsController } from './channels/channels.controller.js';
import { FilesController } from './filesystem/files.controller.js';
import { FilesystemController } from './filesystem/filesystem.controller.js';
import { AgentFeed } from './events/agent-feed.js';
import { AgentStreams } from './events/agent-streams.js';
import { EventStreams } from './events/event-streams.js';
import { EventsController } from './events/events.controller.js';
import { Mailer } from './mail/mailer.js';
import { ConversationsController } from './messages/conversations.controller.js';
import { HealthController } from './health/health.controller.js';
import { PermissionsController } from './permissions/permissions.controller.js';
import { VersionsController } from './versions/versions.controller.js';
import { AccessGuard } from './http/access.guard.js';
import { ErrorFilter } from './http/error.filter.js';
import type { GatewayConfig } from './config.js';
import { AddressLimiter } from './limits/address-limiter.js';
import { LongRequests } from './limits/long-requests.js';
import { RateLimiter } from './limits/rate-limiter.js';
import { IdempotencyRepository, sealedAnswers } from './idempotency/idempotency.repository.js';
import { MessagesController } from './messages/messages.controller.js';
import { McpController } from './mcp/mcp.controller.js';
import { McpCallbackController } from './mcp/mcp-callback.controller.js';
import { ModelsController } from './models/models.controller.js';
import { NetworkController } from './network/network.controller.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { BudgetsController } from './budgets/budgets.controller.js';
import { RunsController } from './runs/runs.controller.js';
import { SessionsController } from './sessions/sessions.controller.js';
import { UsageController } from './usage/usage.controller.js';
import { AgentVaultController } from './vault/agent-vault.controller.js';
import { VaultController } from './vault/vault.controller.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';

/** Every controller of the API: a new one is a line here. */
export const controllers = [
  AccountsController,
  OperatorsController,
  AuditController,
  CredentialsController,
  BrowserSessionsController,
  OauthController,
  JwksController,
  PlatformKeysController,
  ProviderKeysController,
  VaultController,
  AgentVaultController,
  QuotasController,
  ConversationsController,
  EventsController,
  AgentsController,
  PermissionsController,
  VersionsController,
  DocumentsController,
  MessagesController,
  FilesController,
  FilesystemController,
  ArchiveController,
  ChannelsController,
  ChannelWebhooksController,
  NetworkController,
  HealthController,
  McpController,
  McpCallbackController,
  ModelsController,
  PublicTriggerController,
  RunsController,
  ApprovalsController,
  UsageController,
  BudgetsController,
  SchedulesController,
  TriggersController,
  SessionsController,
  WebhooksController,
];

/** The public REST API: authenticates, validates, asks the services. Holds no business rule. */
@Module({
  controllers,
  providers: [
    { provide: Sealer, useFactory: (config: GatewayConfig) => sealerFrom(config), inject: [CONFIG] },
    AgentFeed,
    AgentStreams,
    ApiKeys,
    Mailer,
    SignIns,
    {
      provide: RotationAtStart,
      inject: [Database, Sealer, LOGGER],
      useFactory: (database: Database, sealer: Sealer, logger: Logger) =>
        new RotationAtStart(database, sealer, [sealedSigningKeys, sealedTokenKeys, sealedAnswers], logger),
    },
    AccountAdmin,
    HealthChecks,
    Audit,
    AccountDeletion,
    AccountQuotas,
    AdminController,
    Authenticator,
    BrowserSessions,
    SessionStart,
    SignInLinks,
    Users,
    SigningKeys,
    SigningKeysRepository,
    Tokens,
    TrustedIssuers,
    LoginLimits,
    LoginSessions,
    OpenRequests,
    OwnerCheck,
    PasswordResets,
    Registrations,
    Workspaces,
    Content,
    IdempotencyRepository,
    RateLimiter,
    AddressLimiter,
    LongRequests,
    EventStreams,
    AccessGuard,
    { provide: APP_GUARD, useExisting: AccessGuard },
    { provide: APP_FILTER, useClass: ErrorFilter },
  ],
})
export class GatewayModule {}
