import { createLogger } from '#lib/observability';
import { freshBus, logText, temporaryFolder, until } from '#lib/testing';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectBus } from './connect-bus.js';

it('logs each subject that the bus refuses once, with what to do', async () => {
  const bus = await freshBus('webhook-dispatch');
  const logFile = join(temporaryFolder(), 'service.log');
  const logger = createLogger('webhook-dispatch', { ROOST_LOG_FILE: logFile });
  const connection = await connectBus({ NATS_URL: bus.url, NATS_CREDS: bus.serviceCreds }, 'webhook-dispatch', logger);
  for (let times = 0; times < 3; times += 1) connection.publish('lifecycle.agent.delete', '{}');
  connection.subscribe('events.messaging.>', { callback: () => undefined });
  await connection.flush();
  await expect(connection.request('messaging.turn.claim', '{}', { timeout: 20_000 })).rejects.toThrow(
    /permissions violation/i,
  );

  const lines = await until('all is logged', async () => {
    const found = (await logText(logFile)).split('\n').filter((line) => line.includes('the bus does not let'));
    return found.length >= 3 && found;
  });
  await connection.close();
  bus.release();
  const logged = lines.map(
    (line) => JSON.parse(line) as { level: number; operation: string; subject: string; msg: string },
  );
  expect(logged.map(({ operation, subject }) => `${operation} ${subject}`)).toEqual([
    'publish lifecycle.agent.delete',
    'subscription events.messaging.>',
    'publish messaging.turn.claim',
  ]);
  expect(logged[0]).toMatchObject({
    level: 50,
    msg: expect.stringMatching(/publish to lifecycle\.agent\.delete: .*docs\/operations\.md/),
  });
});
