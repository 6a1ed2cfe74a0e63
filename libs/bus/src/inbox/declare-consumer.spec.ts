import { EVENTS_STREAM } from '#lib/contracts';
import { type OwnNats, ownNats, temporaryFolder } from '#lib/testing';
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { declareEventsStream } from '../outbox/events-stream.js';
import { declareConsumer } from './declare-consumer.js';

const SUBJECT = 'events.greeter.person.greeted';
const LIMITS = { ack_wait: 5_000 * 1e6, max_ack_pending: 100, filter_subject: SUBJECT };

describe('the consumer of a service', () => {
  let nats: OwnNats | undefined;
  let connection: NatsConnection;
  let dataDir: string;

  const start = async () => {
    nats = await ownNats(dataDir);
    connection = await nats.connect();
  };
  const stop = async () => {
    await connection.close();
    await nats?.stop();
    nats = undefined;
  };
  afterEach(async () => {
    if (nats) await stop();
  });

  const declare = () => declareConsumer(connection, 'greeter', LIMITS);
  const manager = () => jetstreamManager(connection);
  const publish = async (first: number, count: number) => {
    for (let number = first; number < first + count; number += 1)
      await jetstream(connection).publish(SUBJECT, JSON.stringify({ number }));
  };
  const consume = async () => {
    const consumer = await jetstream(connection).consumers.get(EVENTS_STREAM, 'greeter');
    const seen: number[] = [];
    for await (const message of await consumer.fetch({ max_messages: 500, expires: 1_000 })) {
      seen.push(message.json<{ number: number }>().number);
      await message.ackAck();
    }
    return seen;
  };
  const streamFolder = () => {
    const accounts = join(dataDir, 'nats', 'jetstream', 'jetstream');
    return join(accounts, readdirSync(accounts)[0]!, 'streams', EVENTS_STREAM);
  };
  const greetTen = async () => {
    dataDir = temporaryFolder();
    await start();
    await declare();
    await publish(0, 10);
    expect(await consume()).toHaveLength(10);
  };

  it('goes on at its place after a restart', async () => {
    await greetTen();
    await stop();
    await start();
    await declare();
    await publish(10, 2);
    expect(await consume()).toEqual([10, 11]);
    expect((await (await manager()).consumers.info(EVENTS_STREAM, 'greeter')).config.description).toBeUndefined();
  });

  // What a loss of power leaves: the file is there, and what was written to it is not.
  const lost: [string, (stream: string) => void][] = [
    ['the stream and its messages', loseStream],
    ['the stream, but not its messages', (stream) => empty(join(stream, 'meta.sum'))],
    ['the consumer', (stream) => empty(join(stream, 'obs', 'greeter', 'meta.sum'))],
  ];
  it.each(lost)('begins anew where the server lost %s', async (_, lose) => {
    await greetTen();
    await stop();
    lose(streamFolder());
    await start();
    await declareEventsStream(connection);
    await publish(10, 5);
    await declare();
    expect(await consume()).toEqual(expect.arrayContaining([10, 11, 12, 13, 14]));
    await publish(15, 1);
    expect(await consume()).toEqual([15]);
  });

  it('begins anew where who declared it was killed before its old place was deleted', async () => {
    await greetTen();
    await stop();
    loseStream(streamFolder());
    await start();
    // Up to the deletion.
    const { consumers } = (await declareEventsStream(connection)).manager;
    await expect(declareConsumer(withoutDeletion(connection), 'greeter', LIMITS)).rejects.toThrow('killed');
    expect((await consumers.info(EVENTS_STREAM, 'greeter')).delivered.stream_seq, 'the old place').toBe(10);
    await publish(10, 5);
    await declare();
    expect(await consume()).toEqual([10, 11, 12, 13, 14]);
  });

  it('is there once several replicas have declared it at once', async () => {
    await greetTen();
    await stop();
    loseStream(streamFolder());
    await start();
    await declareEventsStream(connection);
    await publish(10, 3);
    await Promise.all(Array.from({ length: 4 }, declare));
    expect(await consume()).toEqual([10, 11, 12]);
  });

  it('takes other limits than an earlier version set', async () => {
    dataDir = temporaryFolder();
    await start();
    const { consumers } = (await declareEventsStream(connection)).manager;
    const earlier = { ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All, max_ack_pending: 7 };
    await consumers.add(EVENTS_STREAM, { durable_name: 'greeter', ...earlier, filter_subject: SUBJECT });
    await declare();
    expect((await consumers.info(EVENTS_STREAM, 'greeter')).config).toMatchObject(LIMITS);
  });
});

function loseStream(stream: string): void {
  for (const name of ['meta.inf', 'meta.sum']) empty(join(stream, name));
  rmSync(join(stream, 'msgs'), { recursive: true });
}

const empty = (file: string) => writeFileSync(file, '');

/** The connection of somebody who ends before a consumer is deleted. */
function withoutDeletion(connection: NatsConnection): NatsConnection {
  return new Proxy(connection, {
    get: (target, name) => {
      if (name !== 'request') return Reflect.get(target, name, target) as unknown;
      return (...args: Parameters<NatsConnection['request']>) =>
        args[0].includes('.CONSUMER.DELETE.') ? Promise.reject(new Error('killed')) : target.request(...args);
    },
  });
}
