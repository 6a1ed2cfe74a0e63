import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { ownCall } from '#lib/call-context';
import { requestOverNats } from '#lib/rpc';
import { execCommand, pingWorkspace, readFile, writeFile } from '#lib/contracts';
import type { WorkspaceDriver, WorkspaceSpec } from '../../src/sandboxes/workspace-driver.js';

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

/** A driver on a bus of its own, as the suite meets it. */
export interface DriverUnderTest {
  driver: WorkspaceDriver;
  /** With a service's credentials. */
  connection: NatsConnection;
  /** Another driver on the same workspaces, as after a restart of the service. The suite closes it. */
  another?(): WorkspaceDriver;
  /** The other driver may work on them at the same time, as two replicas of the service do. */
  isShared?: boolean;
  /** Ends the workspace as a crash would: its daemon is gone, and nobody asked for it. */
  crash(agentId: string): Promise<void>;
  /** The platform starts a crashed workspace again by itself. */
  mendsItself?: boolean;
  /** Closes the driver and what it ran on. */
  close(): Promise<void>;
}

export interface DriverSuiteOptions {
  /** False where workspaces are doubles without a kernel around them: what needs isolation is then left out. */
  isIsolated: boolean;
  /** True where workspaces reach the egress proxy though they are not isolated. */
  hasProxy?: boolean;
  /** Whose kernel isolates; by default Linux'. */
  kernel?: 'gVisor';
}

/** What the tests of a suite do with the workspaces of the driver under test. */
export function workspacesOf(under: () => DriverUnderTest) {
  const call = () => ownCall(`req_${randomUUID()}`, 30_000);
  return {
    async awake(more: Partial<WorkspaceSpec> = {}): Promise<WorkspaceSpec> {
      const spec = specOf(more);
      await under().driver.ensure(spec);
      return spec;
    },
    async bootId(agentId: string): Promise<string> {
      return (await requestOverNats(under().connection, pingWorkspace, { agentId }, call())).bootId;
    },
    async put(agentId: string, content: string): Promise<void> {
      const input = { agentId, path: 'kept.txt', content, encoding: 'utf-8', overwrite: true } as const;
      await requestOverNats(under().connection, writeFile, input, call());
    },
    async get(agentId: string): Promise<string> {
      const input = { agentId, path: 'kept.txt', encoding: 'utf-8' } as const;
      return (await requestOverNats(under().connection, readFile, input, call())).content;
    },
    async listed(agentId: string) {
      const found = await under().driver.list();
      return found.filter((workspace) => workspace.agentId === agentId).map(({ state }) => state);
    },
    run(agentId: string, command: string) {
      const input = { agentId, execId: randomUUID(), command, timeoutMs: 20_000, maxOutputBytes: 30_000 };
      return requestOverNats(under().connection, execCommand, input, call());
    },
  };
}
