import { RoostError } from '#lib/contracts';

/** A workspace cannot be had; the message tells what to do about it. */
export function unavailable(message: string): RoostError {
  return new RoostError('AGENT_UNAVAILABLE', message, [{ reason: 'workspace' }], 10);
}

const HOST_AWAY = 'workspace_host';

/** What makes workspaces does not answer: nothing is wrong with this one. */
export function hostAway(message: string): RoostError {
  return new RoostError('AGENT_UNAVAILABLE', message, [{ reason: HOST_AWAY }], 10);
}

export function isHostAway(error: unknown): boolean {
  return error instanceof RoostError && error.details.some(({ reason }) => reason === HOST_AWAY);
}
