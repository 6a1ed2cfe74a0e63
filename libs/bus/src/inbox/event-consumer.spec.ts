import { event, wire } from '#lib/contracts';
import { createEventTables, Database, type Transaction } from '#lib/database';
import { createLogger } from '#lib/observability';
import { freshBus, type FreshBus, freshDatabase, type FreshDatabase, TcpLink, until } from '#lib/testing';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { jetstream } from '@nats-io/jetstream';
import { randomUUID } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { declareEventsStream } from '../outbox/events-stream.js';
import { EventConsumer } from './event-consumer.js';

const lent = event('library.book.lent', wire({ title: z.string() }));

class Library1700000000000 {
  name = 'Library1700000000000';
  async up(runner: QueryRunner) {
    await createEventTables(runner);
    await runner.query(`CREATE TABLE loans (title text)`);
  }
  async down() {}
}

describe('a consumer of events', () => {
  let server: FreshDatabase;
  let nats: FreshBus;
  let link: TcpLink;
  let connection: NatsConnection;
  let database: Database;
  let consumer: EventConsumer;
  let onLoan: () => void = () => undefined;

  beforeAll(async () => {
    [server, nats] = await Promise.all([freshDatabase(), freshBus()]);
    link = await TcpLink.open(Number(new URL(server.url).port));
    connection = await nats.connect();
    await declareEventsStream(connection);
    database = await Database.open({
      ...{ url: link.through(server.url), schema: 'library', migrations: [Library1700000000000] },
      ...{ poolSize: 1, maxStatementMs: 500 },
    });
    const handle = async (payload: unknown, tx: Transaction) => {
      onLoan();
      await tx.query(`INSERT INTO loans VALUES ($1)`, [(payload as { title: string }).title]);
    };
    const binding = { event: lent, concerns: () => true, handle };
    consumer = new EventConsumer('library', [binding], database, connection, createLogger('library'));
    consumer.start();
  });
  afterAll(async () => {
    await link.close();
    await consumer.stop();
    await database.close();
    await connection.close();
    nats.release();
    await server.drop();
  });

  it('carries an event out though the database vanished under it without a word', async () => {
    onLoan = () => {
      onLoan = () => undefined;
      link.loseServer();
    };
    const hdrs = headers();
    hdrs.set('roost-event-id', randomUUID());
    await jetstream(connection).publish(lent.subject, JSON.stringify({ title: 'Emma' }), { headers: hdrs });
    const loans = () => database.query(`SELECT title FROM loans`).catch(() => []);
    await until('it is carried out', async () => (await loans()).length > 0);
    expect(await loans()).toEqual([{ title: 'Emma' }]);
  });
});
