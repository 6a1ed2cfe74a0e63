import { EVENTS_STREAM } from '#lib/contracts';
import { type OwnNats, ownNats, temporaryFolder } from '#lib/testing';
import { AckPolicy, DeliverPolicy, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { declareEventsStream } from './events-stream.js';
import { passConsumers } from './rolled-back-stream.js';

/** What a loss of power does under a server that does not flush: the consumer's place is on disk, the newest messages are not. */
describe('a stream that lost its newest messages', () => {
  let nats: OwnNats | undefined;
  let connection: NatsConnection | undefined;
  const dataDir = temporaryFolder();

  const start = async () => {
    nats = await ownNats(dataDir);
    return (connection = await nats.connect());
  };
  const stop = async () => {
    await connection?.close();
    await nats?.stop();
  };
  afterEach(stop);

  const publish = async (first: number, count: number) => {
    for (let number = first; number < first + count; number += 1)
      await jetstream(connection!).publish('events.greeter.person.greeted', JSON.stringify({ number }));
  };
  const consume = async () => {
    const consumer = await jetstream(connection!).consumers.get(EVENTS_STREAM, 'greeter');
    const seen: unknown[] = [];
    for await (const message of await consumer.fetch({ max_messages: 500, expires: 1_000 })) {
      if (message.subject === 'events.greeter.person.greeted') seen.push(message.json<{ number: number }>().number);
      await message.ackAck();
    }
    return seen;
  };

  it('gives its consumers what is published next', async () => {
    const { manager } = await declareEventsStream(await start());
    const consumer = { durable_name: 'greeter', ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All };
    await manager.consumers.add(EVENTS_STREAM, consumer);
    await publish(0, 3);
    expect(await consume()).toHaveLength(3);
    await stop();
    const accounts = join(dataDir, 'nats', 'jetstream', 'jetstream');
    const messages = join(accounts, readdirSync(accounts)[0]!, 'streams', EVENTS_STREAM, 'msgs');
    const kept = join(temporaryFolder(), 'msgs');
    cpSync(messages, kept, { recursive: true });

    await start();
    await publish(3, 300);
    expect(await consume()).toHaveLength(300);
    await stop();
    rmSync(messages, { recursive: true });
    cpSync(kept, messages, { recursive: true });

    const { manager: afterwards } = await declareEventsStream(await start());
    expect((await afterwards.streams.info(EVENTS_STREAM)).state.last_seq).toBe(3);
    const before = await afterwards.consumers.info(EVENTS_STREAM, 'greeter');
    expect(before.delivered.stream_seq, 'it is further than the stream').toBe(303);
    const atOnce = await Promise.all(Array.from({ length: 4 }, () => passConsumers(connection!)));
    expect(
      atOnce.reduce((sum, count) => sum + count, 0),
      'by all relays together',
    ).toBe(300);
    await publish(303, 5);
    expect(await consume()).toEqual([303, 304, 305, 306, 307]);
  });
});
