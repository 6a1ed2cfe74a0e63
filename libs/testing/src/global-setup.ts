import { startTestServers } from './test-servers.js';

/** Vitest's global setup: the workers inherit the environment that holds where the servers are. */
export default async function setup(): Promise<() => Promise<void>> {
  const servers = await startTestServers({ isThrowaway: true });
  return () => servers.stop();
}
