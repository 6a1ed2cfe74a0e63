import { currentCall, currentTraceparent, currentTurnId, traceIdsOf } from '#lib/call-context';
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Fields that are masked wherever they turn up, one or two levels deep. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'token',
  'secret',
  'apiKey',
  'api_key',
  'key',
  'providerKeys',
  'provider_keys',
  'anthropicApiKey',
  'botToken',
  'credential',
  'headers',
];

const destinations = new Map<string, DestinationStream>();

/** Loggers of a process that log to the same place share it: a file by its path, or standard output. */
function destinationOf(file: string | undefined): DestinationStream {
  const known = destinations.get(file ?? '');
  if (known) return known;
  const destination = pino.destination({ dest: file ?? 1, mkdir: true, sync: false, mode: 0o600 });
  // A disk that is full must not end the service; its later lines are written again.
  destination.on('error', (error: Error) => process.stderr.write(`the log could not be written: ${error.message}\n`));
  destinations.set(file ?? '', destination);
  return destination;
}

/**
 * A logger whose lines carry the service's name, and the request id, account, trace and run of the call in hand.
 * `env` is the service's: ROOST_LOG_FILE sets where to, ROOST_LOG_LEVEL how much.
 */
export function createLogger(service: string, env: Record<string, string | undefined> = process.env): Logger {
  return pino(
    {
      name: service,
      level: env['ROOST_LOG_LEVEL'] ?? 'info',
      base: { service },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '***' },
      mixin: () => {
        const call = currentCall();
        const turnId = currentTurnId();
        return {
          ...(call && { requestId: call.requestId, accountId: call.accountId ?? undefined }),
          ...(turnId !== undefined && { runId: turnId }),
          ...traceIdsOf(currentTraceparent()),
        };
      },
    },
    destinationOf(env['ROOST_LOG_FILE']),
  );
}
