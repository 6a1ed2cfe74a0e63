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

const defaults = { cpu: '1', memory: '1Gi' };
const units: Record<string, number> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
/** Below this the daemon itself does not run. */
const minMemoryBytes = 128 * 2 ** 20;

/** The limits of a spec; what cannot be read is the default, for the gateway has refused it long before. */
export function limitsOf({ resources, volumeBytes }: Pick<WorkspaceSpec, 'resources' | 'volumeBytes'>): Limits {
  const memoryBytes = Math.max(bytesOf(resources?.memory) ?? bytesOf(defaults.memory) ?? 0, minMemoryBytes);
  return {
    memoryBytes,
    cpuMillis: Math.max(millisOf(resources?.cpu) ?? millisOf(defaults.cpu) ?? 0, 50),
    processes: 512,
    openFiles: 8_192,
    volumeBytes,
    // A file in /tmp is memory of the workspace.
    tmpBytes: Math.floor(memoryBytes / 2),
  };
}

function bytesOf(quantity: string | undefined): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([kMGT]i?|Ki)?$/.exec(quantity ?? '') ?? [];
  const factor = units[unit];
  return amount === undefined || factor === undefined ? undefined : Math.floor(Number(amount) * factor);
}

function millisOf(quantity: string | undefined): number | undefined {
  const [, amount, milli] = /^(\d+(?:\.\d+)?)(m)?$/.exec(quantity ?? '') ?? [];
  return amount === undefined ? undefined : Math.floor(Number(amount) * (milli ? 1 : 1_000));
}
