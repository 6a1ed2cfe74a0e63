import { createLogger } from '#lib/observability';
import { cableTo, freshBus, until } from '#lib/testing';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, expect, it, vi } from 'vitest';
import { connectBus } from './connect-bus.js';

afterEach(() => void vi.useRealTimers());

/** A server, and the cable that leads to it. */
async function behindCable() {
  const bus = await freshBus('messaging');
  const cable = await cableTo(bus.url);
  return {
    ...cable,
    connect: () =>
      connectBus({ NATS_URL: cable.url, NATS_CREDS: bus.serviceCreds }, 'messaging', createLogger('messaging', {})),
    close() {
      cable.close();
      bus.release();
    },
  };
}

/** What happens to the connection, until it is closed. */
function watch(connection: NatsConnection) {
  const seen: string[] = [];
  const status = connection.status();
  const over = (async () => {
    for await (const { type } of status) seen.push(type);
  })();
  return { seen, over };
}

it('gives up a server that says nothing more within a minute, and finds it again', async () => {
  const server = await behindCable();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  const connection = await server.connect();
  const { seen, over } = watch(connection);

  server.silence(true);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(seen).not.toContain('disconnect');
  await vi.advanceTimersByTimeAsync(1_000);
  server.silence(false);
  await until('the connection is given up', () => seen.includes('disconnect'));
  await until('it is back', () => seen.includes('reconnect'));
  await connection.flush();

  await connection.close();
  await over;
  server.close();
});

it('connects again at once when the clock was a day ahead meanwhile', async () => {
  const server = await behindCable();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
  const connection = await server.connect();
  const { seen, over } = watch(connection);
  vi.useRealTimers();
  server.cut();
  await until('it is back', () => seen.includes('reconnect'));
  await connection.flush();
  await connection.close();
  await over;
  server.close();
});

it('refuses a server that does not take messages as large as ours, and says what to do', async () => {
  const server = createServer((client) => {
    client.write('INFO {"server_id":"S","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n');
    client.on('data', (chunk) => void (String(chunk).includes('PING') && client.write('PONG\r\n')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connecting = connectBus({ NATS_URL: `127.0.0.1:${port}` }, 'messaging', createLogger('messaging', {}));
  await expect(connecting).rejects.toThrow(/up to 1048576 bytes.*max_payload: 32MB/);
  server.close();
});
