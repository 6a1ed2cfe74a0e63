import { sealerFrom } from '#lib/auth';
import { AccountLimits } from '#lib/quotas';
import { OtherServices } from '../src/agents/other-services.js';
import { lifecycleConfigSchema } from '../src/config.js';
import { StatusChanges } from '../src/states/status-changes.js';
import { VaultChanges } from '../src/vault/vault-changes.js';
import { Activity } from '../src/workspaces/activity.js';
import { AwakeLeases } from '../src/workspaces/awake-leases.js';
import { ColdStarts } from '../src/workspaces/cold-starts.js';
import { WorkspaceFailures } from '../src/workspaces/failures.js';
import { Reconciler } from '../src/workspaces/reconciler.js';
import { WorkspaceFiles } from '../src/workspaces/workspace-files.js';
import { WorkspaceLauncher, WorkspaceSpecs } from '../src/workspaces/workspace-launcher.js';
import { WorkspaceUpdates } from '../src/workspaces/workspace-updates.js';
import { WorkspacesService } from '../src/workspaces/workspaces.service.js';
import type { LifecycleService } from './lifecycle-service.js';
import { type Platform, PlatformDriver } from './shared-platform.js';

const quiet = { warn: () => undefined, info: () => undefined } as never;

/** The part of one more replica of the service that keeps workspaces, with a driver of its own on `platform`. */
export function workspacesReplica(service: LifecycleService, platform: Platform, env: Record<string, string> = {}) {
  const { rows, bus } = service;
  const driver = new PlatformDriver(platform);
  const config = lifecycleConfigSchema.parse({
    NATS_URL: 'nats://localhost',
    DATABASE_URL: service.databaseUrl,
    ROOST_MASTER_KEY: service.masterKey,
    ...env,
  });
  const activity = new Activity(bus);
  const leases = new AwakeLeases(rows, new AccountLimits(bus, config));
  const failures = new WorkspaceFailures(rows, new StatusChanges(), new OtherServices(bus), config);
  const files = new WorkspaceFiles(bus, rows);
  const specs = new WorkspaceSpecs(sealerFrom(config), rows, config);
  const launcher = new WorkspaceLauncher(driver, activity, failures, specs, files);
  const workspaces = new WorkspacesService(rows, launcher, leases, new ColdStarts(config), quiet);
  const updates = new WorkspaceUpdates(bus, rows, launcher, files, new VaultChanges(), quiet);
  const reconciler = new Reconciler(rows, launcher, workspaces, updates, leases, quiet);
  return { driver, activity, leases, launcher, workspaces, updates, reconciler };
}

export type WorkspacesReplica = ReturnType<typeof workspacesReplica>;
