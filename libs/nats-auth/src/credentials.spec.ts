import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, credsAuthenticator, headers, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshBus, until, type FreshBus } from '#lib/testing';
import { accountCredentials, workspaceCredentials, workspaceInboxPrefix } from './index.js';

const agentId = '0198c3a2-0000-7000-8000-000000000001';
const otherId = '0198c3a2-0000-7000-8000-000000000002';

describe('workspace credentials', () => {
  let bus: FreshBus;
  let everybody: NatsConnection;
  let workspace: NatsConnection;

  const connectAs = (creds: string, inboxPrefix = '_INBOX') =>
    connect({ servers: bus.url, authenticator: credsAuthenticator(new TextEncoder().encode(creds)), inboxPrefix });

  beforeAll(async () => {
    bus = await freshBus();
    everybody = await connectAs(await accountCredentials(bus.accountSeed, 'everybody'));
    const creds = await workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3600 });
    workspace = await connectAs(creds, workspaceInboxPrefix(agentId));
  });

  afterAll(async () => {
    await workspace.close();
    await everybody.close();
    bus.release();
  });

  it('answer requests to their own agent', async () => {
    workspace.subscribe(`workspace.${agentId}.file.read`, {
      callback: (_, message) => void message.respond('content'),
    });
    await workspace.flush();
    const reply = await everybody.request(`workspace.${agentId}.file.read`, 'notes.txt', { timeout: 20_000 });
    expect(reply.string()).toBe('content');
  });

  it('publish to their own out subjects', async () => {
    const received = everybody.subscribe(`workspace.${agentId}.out.>`, { max: 1 });
    await everybody.flush();
    workspace.publish(`workspace.${agentId}.out.exec.1`, 'line');
    for await (const message of received) expect(message.string()).toBe('line');
  });

  it.each([
    `workspace.${otherId}.>`,
    `workspace.*.file.read`,
    'workspace.>',
    'events.>',
    'live.*',
    'messaging.message.send',
    '_INBOX.>',
    `${workspaceInboxPrefix(otherId)}.>`,
    '$JS.>',
    '$SYS.>',
    '>',
  ])('may not listen on %s', async (subject) => {
    const refusal = new Promise<Error | void>((resolve) => {
      workspace.subscribe(subject, { callback: (error) => resolve(error ?? undefined) });
    });
    expect((await refusal)?.message).toMatch(/permissions violation/i);
  });

  it.each([
    `workspace.${otherId}.file.read`,
    `workspace.${agentId}.file.read`,
    'events.messaging.message.completed',
    `live.${agentId}`,
    'lifecycle.agent.delete',
    'messaging.turn.complete',
    'wake.runtime',
    '_INBOX.someone.else',
    '$JS.API.STREAM.CREATE.EVIL',
    '$SYS.REQ.SERVER.PING',
  ])('may not publish to %s', async (subject) => {
    const seen: string[] = [];
    const spy = everybody.subscribe('>', { callback: (_, message) => void seen.push(message.subject) });
    await everybody.flush();
    workspace.publish(subject, 'forged');
    await workspace.flush(); // the server has judged it
    everybody.publish('spy.end');
    await until('the spy has seen all that was published', () => seen.includes('spy.end'));
    spy.unsubscribe();
    expect(seen).not.toContain(subject);
  });

  it('see no reply subject once the request is answered often enough', async () => {
    const inbox = '_INBOX.watched.1';
    const seen: string[] = [];
    const watch = everybody.subscribe(inbox, { callback: (_, message) => void seen.push(message.string()) });
    workspace.subscribe(`workspace.${agentId}.flood`, {
      callback: (_, message) => {
        for (let index = 0; index < 100; index += 1) message.respond(String(index));
      },
    });
    await workspace.flush();
    everybody.publish(`workspace.${agentId}.flood`, '', { reply: inbox, headers: headers() });
    await until('the last permitted answer came', () => seen.includes('63'));
    await workspace.flush();
    await everybody.flush();
    watch.unsubscribe();
    expect(seen).toHaveLength(64);
  });

  it('cannot reach JetStream, which others of the account can', async () => {
    const manager = await jetstreamManager(everybody);
    await manager.streams.add({ name: 'EVENTS', subjects: ['events.>'] });
    await jetstream(everybody).publish('events.test.thing.made', '1');
    expect((await manager.streams.info('EVENTS')).state.messages).toBe(1);
    await expect(jetstreamManager(workspace, { timeout: 500 })).rejects.toThrow();
  });

  it('end the connection that sends a message larger than any answer of a workspace', async () => {
    const creds = await workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds: 3600 });
    const flooding = await connect({
      servers: bus.url,
      authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
      reconnect: false,
    });
    const received: number[] = [];
    const subject = `workspace.${agentId}.out.used`;
    const watch = everybody.subscribe(subject, { callback: (_, message) => void received.push(message.data.length) });
    await everybody.flush();
    flooding.publish(subject, new Uint8Array(4 * 2 ** 20));
    await until('an ordinary one came', () => received.length === 1);
    // The client would refuse by the permissions that the server sent; an agent's own would not.
    Object.assign(flooding.info ?? {}, { max_payload: 64 * 2 ** 20 });
    flooding.publish(subject, new Uint8Array(9 * 2 ** 20));
    expect(await flooding.closed()).toBeInstanceOf(Error);
    expect(received).toEqual([4 * 2 ** 20]);
    watch.unsubscribe();
  });

  it('end when they expire', async () => {
    const connectFor = async (ttlSeconds: number) => {
      const creds = await workspaceCredentials(bus.accountSeed, agentId, { ttlSeconds });
      return connect({
        servers: bus.url,
        authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
        reconnect: false,
      });
    };
    // The end is a whole second, so one second is between none and one: it may be over before we are connected.
    const short = await until('one was connected before its end', () =>
      connectFor(1).catch((error: Error) => {
        expect(error.message).toMatch(/authorization|expired/i);
        return false as const;
      }),
    );
    expect((await short.closed())?.message).toMatch(/expired/i);
  });

  it('are not made for an id that would widen them', async () => {
    for (const id of ['', '*', '>', 'a.b', 'a b', `${agentId}.>`]) {
      await expect(workspaceCredentials(bus.accountSeed, id, { ttlSeconds: 60 })).rejects.toThrow(TypeError);
    }
  });

  it('are refused when signed by an account the server does not know', async () => {
    const { createTrust } = await import('./index.js');
    const foreign = (await createTrust(['ROOST'])).accounts[0];
    const creds = await workspaceCredentials(foreign?.seed ?? '', agentId, { ttlSeconds: 60 });
    await expect(connectAs(creds)).rejects.toThrow(/authorization/i);
  });
});
