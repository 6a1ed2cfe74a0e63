/**
 * The one client of agents' workspaces: requests that wake a sleeping workspace and notice when it ends, and content of
 * any size in parts. Promised: nothing is done twice, a write is seen whole or not at all. Not promised: that a stream
 * survives its workspace's restart.
 */
export * from './content.js';
export { requestWatched, requestWorkspace } from './workspace-request.js';
export * from './workspaces.js';
