import type { EgressPolicy, NetworkLogEntry as NetworkLogEntrySchema } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { LifecycleConfig } from '../config.js';
import type { EgressAuthority } from './egress/authority.js';
import type { GrantSource } from './egress/grant-source.js';

export type NetworkLogEntry = z.output<typeof NetworkLogEntrySchema>;

/** What a driver needs to make an agent's workspace. Nothing secret is in it but the agent's own `env`. */
export interface WorkspaceSpec {
  agentId: string;
  accountId: string;
  volumeBytes: number;
  /** The agent's custom_env, for its commands. */
  env: Record<string, string>;
  /** As in Kubernetes: `500m`, `2`; `512Mi`, `2Gi`. */
  resources?: { cpu?: string | undefined; memory?: string | undefined } | undefined;
  /** Most processes at once; as the driver's own default where it is not given. */
  processes?: number | undefined;
  network: NetworkPolicy;
}

export type NetworkPolicy = EgressPolicy;

/** `asleep`: put to sleep, by whichever replica, or never woken. `failed`: it crashed, or could not be made. */
export type WorkspaceStatus = { state: 'running' | 'asleep' | 'starting' } | { state: 'failed'; reason: string };

/**
 * Makes sandboxes and removes them. What all drivers promise: a workspace has no route to the outside but the bus
 * and the egress proxy, sees no file but a read-only system and its volume, and is never run without isolation.
 * Not promised: that a workspace that was running a moment ago still is.
 */
export interface WorkspaceDriver {
  /** Why no workspace can be made until this service is restarted; undefined where trying again may help. */
  readonly whyNever: string | undefined;
  /**
   * Resolves when the daemon of the workspace answers on the bus. Concurrent calls make one workspace; a changed spec
   * takes effect at the next start, a changed network policy at once.
   * Errors: AGENT_UNAVAILABLE, with what to do about it.
   */
  ensure(spec: WorkspaceSpec): Promise<void>;
  /** Ends every process of the workspace; the volume stays. Idempotent. */
  sleep(agentId: string): Promise<void>;
  /** Ends the workspace and deletes its volume permanently. Idempotent. */
  remove(agentId: string): Promise<void>;
  inspect(agentId: string): Promise<WorkspaceStatus>;
  /** Every workspace that has a volume, asleep ones too. */
  list(): Promise<{ agentId: string; state: WorkspaceStatus['state'] }[]>;
  /** What the workspace reached, or was refused, newest first. */
  networkLog(agentId: string, limit: number): Promise<NetworkLogEntry[]>;
  /** How workspaces are isolated and limited on this machine, for an operator. */
  isolation(): Promise<Record<string, string>>;
  /** Puts every workspace to sleep; the driver is of no use afterwards. */
  close(): Promise<void>;
}

/** What every driver is made of. */
export interface DriverParts {
  config: LifecycleConfig;
  /** For the pings that find out when a workspace is awake. */
  nats: NatsConnection;
  logger: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
  /** Bus credentials of one workspace, for one connection. Undefined: the seed that signs them is not set. */
  mintCredentials: ((agentId: string) => Promise<string>) | undefined;
  /** How long those are valid. */
  credentialsTtlSeconds: number;
  /** Ranges that agents may reach though they are not public. */
  egressAllowedRanges: string[] | undefined;
  /** Credentials for the egress process; none where there is no vault. */
  grants?: GrantSource | undefined;
  /** What sandboxes trust besides their system's certificates. */
  egressAuthority?: (() => Promise<EgressAuthority>) | undefined;
}

export type MakeDriver = (parts: DriverParts) => WorkspaceDriver | Promise<WorkspaceDriver>;
