import type { NatsConnection } from '@nats-io/transport-node';
import type { LifecycleConfig } from '../config.js';
import type { WorkspaceDriver } from './workspace-driver.js';

/** What every driver is made of. */
export interface DriverParts {
  config: LifecycleConfig;
  /** For the pings that tell when a workspace is awake. */
  nats: NatsConnection;
  logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
  /** Bus credentials of one workspace, for one connection. Undefined: the seed that signs them is not set. */
  mintCredentials: ((agentId: string) => Promise<string>) | undefined;
  /** How long those are good for. */
  credentialsTtlSeconds: number;
}

export type MakeDriver = (parts: DriverParts) => WorkspaceDriver | Promise<WorkspaceDriver>;

/** The kinds of isolation by their names in ROOST_WORKSPACE_DRIVER. One is loaded only where it is wanted. */
export const driverKinds = {
  local: async (): Promise<MakeDriver> => (await import('./local/make.js')).makeLocalDriver,
  docker: async (): Promise<MakeDriver> => (await import('./docker/make.js')).makeDockerDriver,
  kubernetes: async (): Promise<MakeDriver> => (await import('./kubernetes/make.js')).makeKubernetesDriver,
};

export type DriverKind = keyof typeof driverKinds;

export const driverNames = Object.keys(driverKinds) as [DriverKind, ...DriverKind[]];
