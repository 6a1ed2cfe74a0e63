import { freshBus, until } from '#lib/testing';
import { Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { connectGathering } from './gathering-transport.js';
import { credsAuthenticator } from '#lib/nats-auth/keys';

it('sends together, in order, what is published in one pass through the event loop, also before a close', async () => {
  const bus = await freshBus();
  const receiver = await bus.connect();
  const received: string[] = [];
  receiver.subscribe('gathered', { callback: (_, message) => void received.push(message.string()) });
  await receiver.flush();
  const sender = await connectGathering({
    servers: bus.url,
    authenticator: credsAuthenticator(bus.creds),
  });
  await new Promise(setImmediate);

  const uncork = vi.spyOn(Socket.prototype, 'uncork');
  for (const text of ['one', 'two', 'three']) {
    sender.publish('gathered', text);
    await Promise.resolve();
    await Promise.resolve();
  }
  await sender.close();
  expect(uncork).toHaveBeenCalledTimes(1);
  uncork.mockRestore();
  await until('all is received', () => received.length === 3);
  expect(received).toEqual(['one', 'two', 'three']);

  await receiver.close();
  bus.release();
});
