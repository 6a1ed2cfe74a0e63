/** Makes the sandboxes of workspaces: a driver per kind of isolation behind one interface. */
import type { DriverName } from './driver-names.js';
import type { MakeDriver } from './workspace-driver.js';

export * from './driver-names.js';
export { LocalWorkspaceDriver, type LocalDriverOptions } from './local/local-driver.js';
export { localRuntimes } from './local/local-runtimes.js';
export * from './workspace-driver.js';

/** The drivers by their names. One is loaded only where it is wanted. */
export const driverKinds = {
  local: async (): Promise<MakeDriver> => (await import('./local/make.js')).makeLocalDriver,
  docker: async (): Promise<MakeDriver> => (await import('./docker/make.js')).makeDockerDriver,
  kubernetes: async (): Promise<MakeDriver> => (await import('./kubernetes/make.js')).makeKubernetesDriver,
} satisfies Record<DriverName, () => Promise<MakeDriver>>;
