import { RoostError } from '#lib/contracts';
import { ZodError } from 'zod';

const NOBODY_THERE = 'nobody_there';

export const ANSWERED_LATE = 'did not answer in time';
export const NOT_RUNNING = 'is not running';
export const NOT_REACHED = 'could not be reached';

/** SERVICE_UNAVAILABLE of the service that a contract belongs to, with what went wrong. */
export function unavailable(
  { subject }: { subject: string },
  what: typeof ANSWERED_LATE | typeof NOT_RUNNING | typeof NOT_REACHED,
): RoostError {
  const service = subject.split('.', 1)[0] ?? '';
  const reason = what === NOT_RUNNING ? NOBODY_THERE : 'unavailable';
  return new RoostError(
    'SERVICE_UNAVAILABLE',
    `the ${service} service ${what}; try again in a moment`,
    [{ reason, service }],
    2,
  );
}

/** True when the request reached nobody, so that it is certain not to have been carried out. */
export function reachedNobody(error: unknown): boolean {
  return (
    error instanceof RoostError &&
    error.code === 'SERVICE_UNAVAILABLE' &&
    error.details.some((detail) => detail.reason === NOBODY_THERE)
  );
}

/** The error to show: RoostErrors as they are, anything else as INTERNAL after it was passed to `report`. */
export function asRoostError(error: unknown, report: (error: unknown) => void): RoostError {
  if (error instanceof RoostError) return error;
  report(error);
  return new RoostError(
    'INTERNAL',
    error instanceof ZodError
      ? 'an answer did not fit its contract'
      : 'something went wrong on our side; the request id helps to find it',
  );
}
