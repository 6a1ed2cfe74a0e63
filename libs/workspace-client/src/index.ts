/**
 * Files of an agent's workspace, over the bus: requests that wake a sleeping workspace, and content of any size in
 * parts. Promised: a write is seen whole or not at all. Not promised: that a stream survives its workspace's restart.
 */
export * from './content.js';
export { workspaceGone, type WorkspaceLooks } from './workspace-gone.js';
export * from './workspaces.js';
