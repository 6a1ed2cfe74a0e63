import type { Logger } from '#lib/observability';
import type { LoggerService } from '@nestjs/common';

/** Lets Nest's own messages flow into our log, at debug: its start-up chatter is of no use to an operator. */
export function nestLogger(logger: Logger): LoggerService {
  const write =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...rest: unknown[]) => {
      const context = rest.findLast((part) => typeof part === 'string');
      if (message instanceof Error) logger[level]({ err: message, context });
      else logger[level]({ context, details: rest.length > 1 ? rest.slice(0, -1) : undefined }, String(message));
    };
  return {
    log: write('debug'),
    verbose: write('debug'),
    debug: write('debug'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('error'),
  };
}
