import { RoostError } from '#lib/contracts';

/** A workspace cannot be made; the message says what to do about it. */
export function unavailable(message: string): RoostError {
  return new RoostError('AGENT_UNAVAILABLE', message, [{ reason: 'workspace' }], 10);
}

const HOST_AWAY = 'workspace_host';

/** The host of workspaces (Docker, Kubernetes) does not answer: nothing is wrong with this one. */
export function hostAway(message: string): RoostError {
  return new RoostError('AGENT_UNAVAILABLE', message, [{ reason: HOST_AWAY }], 10);
}

export function isHostAway(error: unknown): boolean {
  return error instanceof RoostError && error.details.some(({ reason }) => reason === HOST_AWAY);
}

/**
 * The HTTP status of a refusal by Docker or by the Kubernetes API, whose clients name it differently; undefined when
 * there was no answer at all.
 */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown };
  return [code, statusCode].find((value): value is number => typeof value === 'number' && value >= 100 && value < 600);
}

/** What was asked for, or undefined when there is no such thing (404). Errors: all others of `asked`. */
export async function orUndefined<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
