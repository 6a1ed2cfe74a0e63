import { quantityBytes, quantityMillicores } from '#lib/contracts';
import type { WorkspaceSpec } from './workspace-driver.js';

/** What a workspace may use at most. */
export interface Limits {
  memoryBytes: number;
  /** Thousandths of a processor. */
  cpuMillis: number;
  processes: number;
  openFiles: number;
  volumeBytes: number;
  tmpBytes: number;
}

const defaults = { cpuMillis: 1_000, memoryBytes: 2 ** 30, processes: 512 };
/** Below this the daemon itself does not run. */
const minMemoryBytes = 128 * 2 ** 20;
const minCpuMillis = 50;

/** The limits of a spec; what cannot be read is the default, for it was refused long before. */
export function limitsOf({
  resources,
  volumeBytes,
  processes = defaults.processes,
}: Pick<WorkspaceSpec, 'resources' | 'volumeBytes' | 'processes'>): Limits {
  const memoryBytes = Math.max(quantityBytes(resources?.memory ?? '') ?? defaults.memoryBytes, minMemoryBytes);
  return {
    memoryBytes,
    cpuMillis: Math.max(quantityMillicores(resources?.cpu ?? '') ?? defaults.cpuMillis, minCpuMillis),
    processes,
    openFiles: 8_192,
    volumeBytes,
    // A file in /tmp is memory of the workspace.
    tmpBytes: Math.floor(memoryBytes / 2),
  };
}
