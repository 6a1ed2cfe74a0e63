import type { Logger } from './logger.js';

/**
 * Keeps the process when a promise fails that nobody waits for: what it was to do for one request, stream or agent is
 * lost and logged; Node would end everybody's. An exception that is thrown and not caught still ends it: what
 * it left half done is unknown. Gives the function that takes it back.
 */
export function outliveRejections(logger: Pick<Logger, 'error'>): () => void {
  const listener = (error: unknown) => logger.error({ err: error }, 'a promise failed that nobody waited for');
  process.on('unhandledRejection', listener);
  return () => process.off('unhandledRejection', listener);
}
