import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, errors, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { declareEventsStream } from '#lib/bus';
import * as contracts from '#lib/contracts';
import { EVENTS_STREAM } from '#lib/contracts';
import { freshBus, type FreshBus } from '#lib/testing';
import {
  accountCredentials,
  adminCredentials,
  serviceCredentials,
  serviceInboxPrefix,
  servicePermissions,
  serviceRights,
  type ServiceName,
  type ServiceRights,
  workspaceCredentials,
  workspaceInboxPrefix,
} from './index.js';
import { commonSubject, covers, everyRequest, patternOf } from './subject-groups.js';

const names = Object.keys(serviceRights) as ServiceName[];
const rightsOf = (service: ServiceName): ServiceRights => serviceRights[service];
const agentId = '0198c3a2-0000-7000-8000-000000000001';
/** Of a pattern one subject. */
const oneOf = (pattern: string) => pattern.replaceAll('*', agentId).replace(/>$/, 'message.seen');

const everyEvent = Object.values(contracts as Record<string, unknown>).filter(
  (value): value is contracts.EventContract => (value as { isPublished?: boolean } | null)?.isPublished === true,
);
const everySignal = [...new Set(names.flatMap((service) => rightsOf(service).signals))];
const subjectsServed = [...everyRequest.map(patternOf), ...names.map((name) => contracts.healthCheck(name).subject)];

const owns = (service: ServiceName, subject: string) =>
  rightsOf(service).owns.includes(subject.split('.')[0] ?? '') ||
  subject === contracts.healthCheck(service).subject ||
  (rightsOf(service).serves ?? []).some((contract) => patternOf(contract) === subject);
const calls = (service: ServiceName, subject: string) =>
  rightsOf(service).calls.some((contract) => covers(patternOf(contract), subject));
describe('service credentials', () => {
  let bus: FreshBus;
  let everybody: NatsConnection;
  const services = new Map<ServiceName, NatsConnection>();
  const connections: NatsConnection[] = [];

  const connectAs = async (creds: string, inboxPrefix = '_INBOX') => {
    const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
    const connection = await connect({ servers: bus.url, authenticator, inboxPrefix });
    connections.push(connection);
    return connection;
  };
  const as = (service: ServiceName) => services.get(service)!;

  beforeAll(async () => {
    bus = await freshBus();
    everybody = await connectAs(await accountCredentials(bus.accountSeed, 'everybody'));
    for (const name of names)
      services.set(name, await connectAs(await serviceCredentials(bus.accountSeed, name), serviceInboxPrefix(name)));
    await declareEventsStream(as('messaging'));
  });
  afterAll(async () => {
    for (const connection of connections) await connection.close();
    bus.release();
  });

  /** Publishes to all of them and gives those that the server refused. */
  async function refusedToPublish(connection: NatsConnection, subjects: string[]): Promise<string[]> {
    const refused: string[] = [];
    const status = connection.status();
    const watching = (async () => {
      for await (const { type, ...event } of status)
        if (type === 'error' && 'error' in event && event.error instanceof errors.PermissionViolationError)
          refused.push(event.error.subject);
    })();
    for (const subject of subjects) connection.publish(subject, '{}');
    await connection.flush(); // the server has judged them all
    (status as AsyncIterable<unknown> & { stop(): void }).stop();
    await watching;
    return refused;
  }

  async function refusedToHear(connection: NatsConnection, subjects: string[]): Promise<string[]> {
    const refused: string[] = [];
    const subscriptions = subjects.map((subject) =>
      connection.subscribe(subject, { callback: (error) => void (error && refused.push(subject)) }),
    );
    await connection.flush();
    for (const subscription of subscriptions) if (!subscription.isClosed()) subscription.unsubscribe();
    await connection.flush();
    return refused;
  }

  it('let every service ask what it calls, and be answered by whom it asks', async () => {
    const workspace = await connectAs(
      await workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 600 }),
      workspaceInboxPrefix(agentId),
    );
    const serving = subjectsServed.map((pattern) => {
      const server = pattern.startsWith('workspace.') ? workspace : as(names.find((name) => owns(name, pattern))!);
      return server.subscribe(oneOf(pattern), { callback: (_, message) => void message.respond('yes') });
    });
    await Promise.all([...services.values(), workspace].map((connection) => connection.flush()));
    for (const service of names) {
      const asked = subjectsServed.filter((subject) => calls(service, subject));
      expect(asked.length, service).toBeGreaterThan(0);
      await Promise.all(
        asked.map(async (subject) => {
          const answer = await as(service).request(oneOf(subject), '{}', { timeout: 5_000 });
          expect(answer.string(), `${service} asks ${subject}`).toBe('yes');
        }),
      );
    }
    for (const subscription of serving) subscription.unsubscribe();
  });

  describe.each(names)('of %s', (service) => {
    const { signals, subscribes, reads } = rightsOf(service);
    const otherEvents = everyEvent
      .map(({ subject }) => subject)
      .filter((subject) => !owns(service, subject.replace(/^events\./, '')));
    const foreignSignals = everySignal.filter((subject) => !signals.includes(subject));

    it('let it ask nothing else, publish no event of others and give no hint of others', async () => {
      const notAsked = subjectsServed.filter((subject) => !calls(service, subject));
      const forbidden = [...notAsked, ...otherEvents, ...foreignSignals].map(oneOf);
      expect((await refusedToPublish(as(service), forbidden)).sort()).toEqual([...new Set(forbidden)].sort());
    });

    it('let it publish its own events and hints', async () => {
      const own = everyEvent.map(({ subject }) => subject).filter((subject) => !otherEvents.includes(subject));
      expect(await refusedToPublish(as(service), signals.map(oneOf))).toEqual([]);
      for (const subject of own) await jetstream(as(service)).publish(subject, '{}');
    });

    it('let it receive on its own subjects and what the table names, and nothing else', async () => {
      const everything = [...subjectsServed, ...everyEvent.map(({ subject }) => subject), ...everySignal];
      const may = (subject: string) => owns(service, subject) || subscribes.some((pattern) => covers(pattern, subject));
      const [mine, others] = [everything.filter(may), everything.filter((subject) => !may(subject))];
      expect(await refusedToHear(as(service), mine)).toEqual([]);
      const inboxes = [...names, 'admin']
        .filter((name) => name !== service)
        .map((name) => `${serviceInboxPrefix(name)}.>`);
      const wide = ['>', '*.>', 'events.>', 'workspace.>', '$JS.>', '$SYS.>', `${workspaceInboxPrefix(agentId)}.>`];
      const forbidden = [...others, ...inboxes, ...wide];
      expect((await refusedToHear(as(service), forbidden)).sort()).toEqual([...new Set(forbidden)].sort());
    });

    it('let it write into the inboxes of those who ask it, and into no other', async () => {
      const asks = (name: ServiceName) =>
        subjectsServed.some((subject) => owns(service, subject) && calls(name, subject));
      const askers: string[] = names.filter((name) => name === service || asks(name));
      if (service === 'gateway') askers.push('admin');
      const others = [...names, 'admin'].filter((name) => !askers.includes(name));
      const inboxOf = (name: string) => `${serviceInboxPrefix(name)}.base.token`;
      const forbidden = [...others.map(inboxOf), `${workspaceInboxPrefix(agentId)}.base.token`];
      expect(await refusedToPublish(as(service), [...askers.map(inboxOf), ...forbidden])).toEqual(forbidden);
    });

    it('keep the stream and the consumers of others from it', async () => {
      const forOthers = names
        .filter((name) => name !== service)
        .flatMap((name) => [
          `$JS.API.CONSUMER.INFO.${EVENTS_STREAM}.${name}`,
          `$JS.API.CONSUMER.MSG.NEXT.${EVENTS_STREAM}.${name}`,
          `$JS.API.CONSUMER.CREATE.${EVENTS_STREAM}.${name}.events.messaging.>`,
          `$JS.API.CONSUMER.DELETE.${EVENTS_STREAM}.${name}`,
          `$JS.ACK.${EVENTS_STREAM}.${name}.1.1.1.1.0`,
          `$JS.ACK._.hash.${EVENTS_STREAM}.${name}.1.1.1.1.0`,
        ]);
      const stream = ['DELETE', 'PURGE', 'UPDATE', 'MSG.GET', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE'].map(
        (verb) => `$JS.API.STREAM.${verb}.${EVENTS_STREAM}`,
      );
      const own = [
        `$JS.API.CONSUMER.CREATE.${EVENTS_STREAM}.${service}`,
        `$JS.API.CONSUMER.DURABLE.CREATE.${EVENTS_STREAM}.${service}`,
        ...(reads.length === 0 ? [`$JS.API.CONSUMER.DELETE.${EVENTS_STREAM}.${service}`] : []),
        `$JS.API.STREAM.CREATE.OTHER`,
        `$JS.API.DIRECT.GET.${EVENTS_STREAM}`,
        '$JS.API.STREAM.LIST',
        '$JS.API.CONSUMER.CREATE.EVENTS',
        '$SYS.REQ.SERVER.PING',
      ];
      const forbidden = [...forOthers, ...stream, ...own];
      expect((await refusedToPublish(as(service), forbidden)).sort()).toEqual(forbidden.sort());
    });

    it.runIf(reads.length > 0)('let it consume the events that it reads, and no wider', async () => {
      const filter = commonSubject(reads.map(({ subject }) => subject));
      const { manager } = await declareEventsStream(as(service));
      const settings = { durable_name: service, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.New };
      await manager.consumers.add(EVENTS_STREAM, { ...settings, filter_subject: filter });
      await manager.consumers.update(EVENTS_STREAM, service, { filter_subject: filter, max_ack_pending: 7 });
      for (const { subject } of reads) await jetstream(everybody).publish(subject, '{}');
      const consumer = await jetstream(as(service)).consumers.get(EVENTS_STREAM, service);
      const messages = await consumer.consume({ max_messages: 8, expires: 5_000 });
      const missing = new Set(reads.map(({ subject }) => subject));
      for await (const message of messages) {
        message.working();
        await message.ackAck();
        missing.delete(message.subject);
        if (missing.size === 0) break;
      }
      expect((await manager.consumers.info(EVENTS_STREAM, service)).num_ack_pending).toBe(0);
      expect(await manager.consumers.delete(EVENTS_STREAM, service), 'with the place it left').toBe(true);
      if (filter !== 'events.>') {
        const wider = `$JS.API.CONSUMER.CREATE.${EVENTS_STREAM}.${service}.events.>`;
        expect(await refusedToPublish(as(service), [wider])).toEqual([wider]);
      }
    });

    it('connect with a line that every server takes', async () => {
      const creds = await serviceCredentials(bus.accountSeed, service);
      expect(await connectLineBytes(creds, `roost-${service}`)).toBeLessThan(4_096);
    });

    it('let the version before work, which knows no inbox of its own', async () => {
      const before = await connectAs(await serviceCredentials(bus.accountSeed, service));
      const [contract] = rightsOf(service).calls;
      const server = everybody.subscribe(oneOf(patternOf(contract!)).replace(`${agentId}.health`, 'messaging.health'), {
        callback: (_, message) => void message.respond('yes'),
      });
      await everybody.flush();
      const subject = oneOf(patternOf(contract!)).replace(`${agentId}.health`, 'messaging.health');
      const answer = await before.request(subject, '', { timeout: 20_000 });
      expect(answer.string()).toBe('yes');
      expect((await declareEventsStream(before)).created).not.toBe('');
      server.unsubscribe();
    });
  });

  it('are not made for a service that nobody listed', () => {
    for (const name of ['', 'test', 'toString', 'gateway.>']) expect(() => servicePermissions(name)).toThrow(TypeError);
  });

  it('of the operator reach the accounts and keys, and nothing else', async () => {
    const admin = await connectAs(await adminCredentials(bus.accountSeed), serviceInboxPrefix('admin'));
    const mine = subjectsServed.filter((subject) => /^gateway\.(account|key|audit)\./.test(subject));
    const others = [...subjectsServed, ...everyEvent.map(({ subject }) => subject), ...everySignal]
      .filter((subject) => !mine.includes(subject))
      .map(oneOf);
    expect(await refusedToPublish(admin, mine)).toEqual([]);
    expect((await refusedToPublish(admin, others)).sort()).toEqual([...new Set(others)].sort());
    const inboxes = names.map((name) => `${serviceInboxPrefix(name)}.>`);
    expect(await refusedToHear(admin, ['>', ...inboxes, ...mine])).toEqual(['>', ...inboxes, ...mine]);
  });

  it('do not reach JetStream of a stream that is not there to be read', async () => {
    const manager = await jetstreamManager(as('gateway'), { checkAPI: false, timeout: 20_000 });
    await expect(manager.consumers.info(EVENTS_STREAM, 'messaging')).rejects.toThrow(/permissions violation/i);
  });
});

/** How long the line is with which our client connects; what nats-server measures against `max_control_line`. */
async function connectLineBytes(creds: string, name: string): Promise<number> {
  const server = createServer((socket) => {
    const info = {
      server_id: 'X',
      version: '2.9.10',
      proto: 1,
      max_payload: 1_048_576,
      headers: true,
      nonce: 'n'.repeat(22),
    };
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    let line = '';
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      line += data.toString();
      const end = line.indexOf('\r\n');
      if (line.startsWith('CONNECT ') && end > 0) {
        server.emit('line', end);
        socket.destroy();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const seen = once(server, 'line') as Promise<[number]>;
  const attempt = connect({
    servers: `127.0.0.1:${port}`,
    name,
    reconnect: false,
    authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
  }).catch(() => undefined);
  const [bytes] = await seen;
  server.close();
  await attempt;
  return bytes;
}
