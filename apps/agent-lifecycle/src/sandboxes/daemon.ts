import { ownCall } from '#lib/call-context';
import { workspaceInboxPrefix } from '#lib/nats-auth';
import { requestOverNats } from '#lib/rpc';
import { pingWorkspace } from '#lib/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import type { Limits } from './limits.js';
import { trustEnvironment, trustInside, trustWritten } from './trust.js';
import type { WorkspaceSpec } from './workspace-driver.js';

/** Of an agent's processes its commands may use this part: the daemon keeps the rest for itself. */
const COMMANDS_SHARE = 0.8;

export interface DaemonParts {
  /** As for `commandEnvironment`. */
  programs?: string | undefined;
  /** The certificate of the egress process's authority, for a daemon that has to write it down itself. */
  certificate?: string | undefined;
}

/** What the daemon is started with (apps/workspace/src/config.ts). */
export function daemonConfig({ agentId, env }: WorkspaceSpec, limits: Limits, { programs, certificate }: DaemonParts) {
  const trust = certificate === undefined ? undefined : { folder: trustWritten, certificate };
  return {
    agentId,
    env: commandEnvironment(env, trust?.folder ?? trustInside, programs),
    ...(trust ? { trust } : {}),
    inboxPrefix: workspaceInboxPrefix(agentId),
    maxProcesses: Math.floor(limits.processes * COMMANDS_SHARE),
    volumeBytes: limits.volumeBytes,
  };
}

/** Whether an agent's workspace is awake: its daemon answers over the bus. */
export async function answersPing(nats: NatsConnection, agentId: string): Promise<boolean> {
  try {
    const call = ownCall(`ping_${randomUUID()}`, pingWorkspace.timeoutMs);
    await requestOverNats(nats, pingWorkspace, { agentId }, call);
    return true;
  } catch {
    return false; // nobody there (yet)
  }
}

const PATH = '/workspace/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The daemon's port that leads to the egress proxy (apps/workspace/src/egress-port.ts). */
const proxyUrl = 'http://127.0.0.1:3128';
const local = 'localhost,127.0.0.1,::1';
const javaProxy = ['http', 'https'].map((name) => `-D${name}.proxyHost=127.0.0.1 -D${name}.proxyPort=3128`).join(' ');
/** Programs disagree about the case; curl reads http_proxy in lower case only. */
const proxySettings = {
  HTTP_PROXY: proxyUrl,
  HTTPS_PROXY: proxyUrl,
  http_proxy: proxyUrl,
  https_proxy: proxyUrl,
  NO_PROXY: local,
  no_proxy: local,
  // Node 24 and later then use the proxy for fetch too.
  NODE_USE_ENV_PROXY: '1',
};

/**
 * Environment of the agent's commands, the same whatever the sandbox is made of; `custom` wins except for the proxy
 * settings, without which nothing reaches the outside. `trust` is the folder of certificates, `programs` one of programs
 * besides the system's.
 */
export function commandEnvironment(
  custom: Record<string, string>,
  trust: string,
  programs?: string,
): Record<string, string> {
  return {
    PATH: programs === undefined ? PATH : `${programs}:${PATH}`,
    HOME: '/workspace',
    USER: 'agent',
    LOGNAME: 'agent',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    TMPDIR: '/tmp',
    // The system is read-only here: what the agent installs goes into its volume and can break no package of the system's.
    PIP_BREAK_SYSTEM_PACKAGES: '1',
    ...trustEnvironment(trust),
    // Java reads no other variable; it prints that it did.
    JAVA_TOOL_OPTIONS: javaProxy,
    ...custom,
    ...proxySettings,
  };
}
