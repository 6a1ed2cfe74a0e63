/** Makes the sandboxes of workspaces: a driver per kind of isolation behind one interface. */
export * from './workspace-driver.js';
export { driverKinds, driverNames, type DriverParts } from './driver-kinds.js';
export { LocalWorkspaceDriver, type LocalDriverOptions } from './local/local-driver.js';
export { localRuntimeNames, localRuntimes } from './local/local-runtimes.js';
