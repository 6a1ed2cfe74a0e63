import { currentCall } from '#lib/bus/rpc';
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
  'headers',
];

let destination: DestinationStream | undefined;

/** All loggers of a process write to one place: standard output, or the file named by ROOST_LOG_FILE. */
function sharedDestination(): DestinationStream {
  destination ??= pino.destination({ dest: process.env['ROOST_LOG_FILE'] ?? 1, mkdir: true, sync: false });
  return destination;
}

/** A logger whose lines carry the service's name, and the request id, account and trace of the call in hand. */
export function createLogger(service: string): Logger {
  return pino(
    {
      name: service,
      level: process.env['ROOST_LOG_LEVEL'] ?? 'info',
      base: { service },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '***' },
      mixin: () => {
        const call = currentCall();
        return call
          ? { requestId: call.requestId, accountId: call.accountId ?? undefined, traceparent: call.traceparent }
          : {};
      },
    },
    sharedDestination(),
  );
}
