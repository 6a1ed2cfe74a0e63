import { unavailable } from '../host-errors.js';

/** On everything that is ours: which Roost made it, and for which agent. */
export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const INSTANCE = 'app.kubernetes.io/instance';
export const AGENT = 'roost.dev/agent-id';
export const FIELD_MANAGER = 'roost-agent-lifecycle';

/** The network policy of the running spec, for the egress proxies of all replicas. */
export const NETWORK = 'roost.dev/network';
/** When the mounted bus credentials end, in seconds since 1970. */
export const CREDENTIALS_END = 'roost.dev/credentials-end';

// A StatefulSet's pods carry its name and an 11-character revision in a label, which has 63 characters.
const maxNameLength = 63 - 11;

/**
 * The one name of all objects of a workspace: unique per agent, the same after any crash, so that making it twice finds
 * the first. Errors: AGENT_UNAVAILABLE for what is no agent id, or too long for Kubernetes.
 */
export function nameOf(instance: string, agentId: string): string {
  const name = `${instance}-${agentId}`;
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(agentId) || name.length > maxNameLength) {
    throw unavailable(
      `${JSON.stringify(agentId.slice(0, 80))} cannot name anything in Kubernetes: with the instance before it an agent's id may have ${maxNameLength} lower case letters, digits and dashes`,
    );
  }
  return name;
}

export function labelsOf(instance: string, agentId: string): Record<string, string> {
  return { [MANAGED_BY]: 'roost', [INSTANCE]: instance, [AGENT]: agentId };
}

export function selectorOf(instance: string): string {
  return `${MANAGED_BY}=roost,${INSTANCE}=${instance},${AGENT}`;
}
