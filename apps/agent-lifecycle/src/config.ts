import { sealingEnvironment } from '#lib/auth';
import { busEnvironment, databaseEnvironment, secret } from '#lib/config';
import { quantityBytes, quantityMillicores } from '#lib/contracts';
import { quotaEnvironment } from '#lib/quotas';
import { z } from 'zod';
import { driverNames, localRuntimeNames } from './sandboxes/driver-names.js';
import { kubernetesSettings } from './sandboxes/kubernetes/settings.js';

const quantity = z.string().refine((text) => quantityBytes(text) !== undefined, 'must be a quantity like 1Gi');
const processors = z
  .string()
  .refine((text) => (quantityMillicores(text) ?? 0) > 0, 'must be a quantity like 500m or 2');

export const lifecycleConfigSchema = z.object({
  ...busEnvironment,
  ...databaseEnvironment,
  ...sealingEnvironment,
  /** Quotas of accounts (docs/limits.md). */
  ...quotaEnvironment,
  /** How workspaces are isolated. */
  ROOST_WORKSPACE_DRIVER: z
    .enum(driverNames, {
      error: `must be one of ${driverNames.join(', ')}: the kinds of workspaces this Roost can make`,
    })
    .default('local'),
  /** Holds the volumes of local workspaces. */
  ROOST_DATA_DIR: z.string().default('.roost'),
  /** bubblewrap, for local workspaces; empty: agents that need their workspace go to `error` with the reason. Nothing runs unsandboxed. */
  ROOST_BWRAP: z.string().optional(),
  /** What makes local workspaces: bubblewrap, or gVisor, whose kernel is between agents and the host's. */
  ROOST_LOCAL_RUNTIME: z.enum(localRuntimeNames).default('bubblewrap'),
  /** gVisor's runsc: a path, or a name to be found on PATH. */
  ROOST_RUNSC: z.string().default('runsc'),
  /** Where Docker listens, for workspaces in containers: `unix:///path` or `tcp://host:port`. */
  DOCKER_HOST: z
    .string()
    .regex(/^(unix:\/\/\/|tcp:\/\/|http:\/\/)./, 'must be unix:///path or tcp://host:port')
    .default('unix:///var/run/docker.sock'),
  /** Names and labels containers and volumes; another for each Roost on a Docker host. */
  ROOST_DOCKER_INSTANCE: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,39}$/)
    .default('roost'),
  /** An OCI runtime that Docker knows, e.g. gVisor's `runsc`; empty: Docker's default. */
  ROOST_DOCKER_RUNTIME: z.string().optional(),
  /** What workspaces in containers are made of. */
  ROOST_WORKSPACE_IMAGE: z.string().default('roost-workspace:latest'),
  /** Namespace, image, storage class and so on of workspaces in pods, as JSON. */
  ROOST_KUBERNETES: kubernetesSettings.optional(),
  /** Where workspaces in pods find their egress proxy. */
  ROOST_EGRESS_HOST: z.string().default('127.0.0.1'),
  ROOST_EGRESS_PORT: z.coerce.number().int().min(0).max(65_535).default(3128),
  /** Signs the bus credentials of workspaces. */
  NATS_ACCOUNT_SEED: secret(z.string()).optional(),
  /** Bounds of `pvc_size`. */
  ROOST_MIN_VOLUME: quantity.default('100Mi'),
  ROOST_MAX_VOLUME: quantity.default('100Gi'),
  /** The most that one agent may ask for (docs/limits.md); what was stored before with more is clamped. */
  ROOST_MAX_AGENT_CPU: processors.default('4'),
  ROOST_MAX_AGENT_MEMORY: quantity.default('8Gi'),
  /** Of each workspace; an agent cannot ask for fewer or more. */
  ROOST_MAX_AGENT_PROCESSES: z.coerce.number().int().min(32).max(100_000).default(512),
  ROOST_MAX_AGENT_MCP_SERVERS: z.coerce.number().int().min(0).max(1_000).default(50),
  ROOST_MAX_TURN_SECONDS: z.coerce.number().int().min(1).max(86_400).default(86_400),
  /** Longest `warmth_window_ms`; when it is set, null (never sleep) is refused. */
  ROOST_MAX_WARMTH_MS: z.coerce.number().int().min(300_000).optional(),
  /** Ranges that agents may reach though they are not public, separated by commas. */
  ROOST_EGRESS_ALLOWED_RANGES: z.string().optional(),
  /** What webhook-dispatch and agent-runtime may call, so that an address is checked when an agent is set. */
  ROOST_WEBHOOK_NETWORK: z.enum(['public', 'local']).default('public'),
  ROOST_MCP_NETWORK: z.enum(['public', 'local']).default('public'),
  /** Where tokens of the vault's secrets may be fetched. */
  ROOST_VAULT_NETWORK: z.enum(['public', 'local']).default('public'),
  /** How long a request of a sandbox waits for a person, where the grant of its secret asks, before it is refused. */
  ROOST_VAULT_ASK_SECONDS: z.coerce.number().int().min(0).max(300).default(30),
  /** Workspaces that this process starts at once, shared between accounts (docs/limits.md). */
  ROOST_MAX_STARTS: z.coerce.number().int().min(1).max(1_000).default(10),
  /** How long sums of what was used are kept, for `GET /v1/usage`. */
  ROOST_USAGE_DAYS: z.coerce.number().int().min(62).max(36_500).default(400),
  ROOST_RECONCILE_MS: z.coerce.number().int().min(50).default(5_000),
  /** Failures in a row after which an agent whose workspace keeps failing goes to `error`. */
  ROOST_WORKSPACE_TRIES: z.coerce.number().int().min(1).max(100).default(5),
});
export type LifecycleConfig = z.output<typeof lifecycleConfigSchema>;
