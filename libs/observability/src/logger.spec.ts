import { inCall, inTrace, inTurn, ownCall } from '#lib/call-context';
import { logText, temporaryFolder } from '#lib/testing';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLogger } from './logger.js';

it('names the request, the account, the trace and the run of what runs, and none of them elsewhere', async () => {
  const file = join(temporaryFolder(), 'lines.log');
  const logger = createLogger('here', { ROOST_LOG_FILE: file });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  inCall({ ...ownCall('req_1'), accountId: 'acme', traceparent }, () => logger.info('requested'));
  inTurn('turn-1', () => inTrace(traceparent, () => logger.info('run')));
  logger.info('alone');
  const lines = (await logText(file))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const lineOf = (text: string) => lines.find(({ msg }) => msg === text);
  expect(lineOf('requested')).toMatchObject({ requestId: 'req_1', accountId: 'acme', ...ids });
  expect(lineOf('run')).toMatchObject({ runId: 'turn-1', ...ids });
  for (const name of ['requestId', 'runId', 'traceId']) expect(lineOf('alone')).not.toHaveProperty(name);
});
