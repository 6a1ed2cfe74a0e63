import {
  type AgentConfiguration,
  quantityBytes,
  quantityMillicores,
  RoostError,
  type UpdateAgent,
} from '#lib/contracts';
import type { LifecycleConfig } from '../config.js';
import type { WorkspaceSpec } from '../sandboxes/index.js';
import type { AgentRow, OpenConfiguration } from './agent-row.js';

/** What an operator sets: the most that one agent may ask for. */
export type Maxima = Pick<
  LifecycleConfig,
  | 'ROOST_MAX_AGENT_CPU'
  | 'ROOST_MAX_AGENT_MEMORY'
  | 'ROOST_MAX_AGENT_PROCESSES'
  | 'ROOST_MAX_AGENT_MCP_SERVERS'
  | 'ROOST_MAX_TURN_SECONDS'
  | 'ROOST_MAX_WARMTH_MS'
  | 'ROOST_MAX_VOLUME'
>;

/** Of an agent that names none; what a turn may last is the contract's own default. */
const DEFAULTS = { cpu: '500m', memory: '512Mi', timeoutSeconds: 3_600 };

/**
 * `custom_env` and `mcp_servers` together: they are sealed into the agent's row and opened for each turn and wake, so
 * that their size is paid again and again. Environments of the size that an operating system takes fit.
 */
const MAX_VALUES_BYTES = 2 ** 20;

type VolumeBounds = Pick<LifecycleConfig, 'ROOST_MIN_VOLUME' | 'ROOST_MAX_VOLUME'>;
type Asked = Pick<UpdateAgent, 'warmthWindowMs' | 'configuration'>;

/**
 * Refuses what is above the operator's maxima. Only what is given is looked at: an agent that was stored with more can
 * still be changed. `pvc_size` has a check of its own. Errors: VALIDATION_ERROR, naming field and maximum.
 */
export function checkMaxima({ warmthWindowMs, configuration }: Asked, maxima: Maxima): void {
  const { resources, timeoutSeconds, mcpServers, customEnv } = configuration ?? {};
  const atMost = (field: string, asked: number | undefined, most: number | undefined, maximum: unknown = most) => {
    if (asked !== undefined && most !== undefined && asked > most) throw above(field, maximum);
  };
  const { ROOST_MAX_AGENT_CPU: cpu, ROOST_MAX_AGENT_MEMORY: memory, ROOST_MAX_WARMTH_MS: warmthMs } = maxima;
  atMost('configuration.resources.cpu', millicores(resources?.cpu ?? undefined), millicores(cpu), cpu);
  atMost('configuration.resources.memory', bytes(resources?.memory ?? undefined), bytes(memory), memory);
  atMost('configuration.timeout_seconds', timeoutSeconds ?? undefined, maxima.ROOST_MAX_TURN_SECONDS);
  atMost('warmth_window_ms', warmthWindowMs === null ? Infinity : warmthWindowMs, warmthMs);
  const serverCount = Object.keys(mcpServers ?? {}).length;
  atMost('configuration.mcp_servers', serverCount, maxima.ROOST_MAX_AGENT_MCP_SERVERS);
  const valueBytes = Buffer.byteLength(JSON.stringify([customEnv ?? {}, mcpServers ?? {}]));
  atMost(`configuration.${customEnv ? 'custom_env' : 'mcp_servers'}`, valueBytes, MAX_VALUES_BYTES);
}

/** Errors: VALIDATION_ERROR for a size out of the operator's bounds, or smaller than `atLeast`: a volume only grows. */
export function checkVolumeSize(size: string, bounds: VolumeBounds, atLeast?: string): void {
  const asked = quantityBytes(size) ?? 0;
  const { ROOST_MIN_VOLUME: min, ROOST_MAX_VOLUME: max } = bounds;
  if (asked < (quantityBytes(min) ?? 0) || asked > (quantityBytes(max) ?? 0))
    throw invalidSize('out_of_bounds', `must be between ${min} and ${max}`, { minimum: min, maximum: max });
  if (atLeast !== undefined && asked < (quantityBytes(atLeast) ?? 0))
    throw invalidSize('shrinks', `must be at least ${atLeast}: a volume cannot shrink`);
}

/** What a workspace is made with: never more than the maxima, whatever was stored before they were set. */
export function allowedResources(
  agent: Pick<AgentRow, 'pvc_size' | 'configuration'>,
  maxima: Maxima,
): Pick<WorkspaceSpec, 'resources' | 'volumeBytes' | 'processes'> {
  const { resources } = agent.configuration;
  return {
    volumeBytes: Math.min(bytes(agent.pvc_size) ?? 0, bytes(maxima.ROOST_MAX_VOLUME) ?? 0),
    processes: maxima.ROOST_MAX_AGENT_PROCESSES,
    resources: {
      cpu: lesser(resources?.cpu ?? DEFAULTS.cpu, maxima.ROOST_MAX_AGENT_CPU, millicores),
      memory: lesser(resources?.memory ?? DEFAULTS.memory, maxima.ROOST_MAX_AGENT_MEMORY, bytes),
    },
  };
}

/** The same for a turn's time. */
export function allowedConfiguration<C extends OpenConfiguration | AgentConfiguration>(
  configuration: C,
  { ROOST_MAX_TURN_SECONDS: most }: Maxima,
): C {
  const asked = configuration.timeoutSeconds ?? DEFAULTS.timeoutSeconds;
  return asked > most ? { ...configuration, timeoutSeconds: most } : configuration;
}

/** The same for the idle time after which a workspace sleeps; null is never. */
export function allowedWarmthMs(asked: number | null, { ROOST_MAX_WARMTH_MS: most }: Maxima): number | null {
  return most === undefined ? asked : Math.min(asked ?? most, most);
}

const bytes = (quantity: string | undefined) => (quantity === undefined ? undefined : quantityBytes(quantity));
const millicores = (quantity: string | undefined) =>
  quantity === undefined ? undefined : quantityMillicores(quantity);

/** What cannot be read counts as too much. */
function lesser(asked: string, most: string, read: (quantity: string) => number | undefined): string {
  return (read(asked) ?? Infinity) > (read(most) ?? Infinity) ? most : asked;
}

function above(field: string, maximum: unknown): RoostError {
  const message = `must be at most ${String(maximum)}, the operator's maximum`;
  return new RoostError('VALIDATION_ERROR', `${field}: ${message}`, [
    { field, reason: 'above_maximum', message, maximum },
  ]);
}

function invalidSize(reason: string, message: string, bounds: object = {}): RoostError {
  return new RoostError('VALIDATION_ERROR', `pvc_size: ${message}`, [
    { field: 'pvc_size', reason, message, ...bounds },
  ]);
}
