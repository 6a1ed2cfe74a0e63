import { randomUUID } from 'node:crypto';
import type { WorkspaceSpec } from '../../src/sandboxes/workspace-driver.js';

/** A workspace of a new agent: 64 MiB, no network. */
export function specOf(more: Partial<WorkspaceSpec> = {}): WorkspaceSpec {
  return {
    agentId: randomUUID(),
    accountId: randomUUID(),
    volumeBytes: 64 * 2 ** 20,
    env: {},
    network: { mode: 'none' },
    ...more,
  };
}
