import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { accountCredentials } from '#lib/nats-auth';
import { temporaryFolder, until } from '#lib/testing';
import { startNats, type Nats } from './nats.js';
import type { WatchTiming } from './nats-watch.js';

describe('the embedded nats-server', () => {
  const running: Nats[] = [];
  const start = async (dataDir: string, watch?: WatchTiming) => {
    const nats = await startNats({ dataDir, log: () => undefined, watch });
    running.push(nats);
    return nats;
  };
  afterEach(async () => {
    for (const nats of running.splice(0)) await nats.stop();
  });

  const connectTo = async ({ url, accounts }: Nats) => {
    const creds = await accountCredentials(accounts[0]?.seed ?? '', 'spec');
    const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
    const retries = { waitOnFirstConnect: true, reconnectTimeWait: 50, maxReconnectAttempts: -1 };
    return connect({ servers: url, authenticator, ...retries });
  };

  it('refuses who shows no credentials', async () => {
    const { url } = await start(temporaryFolder());
    await expect(connect({ servers: url, reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it('comes back on the same port after a kill -9; clients reconnect and streams are whole', async () => {
    const nats = await start(temporaryFolder());
    const connection = await connectTo(nats);
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'EVENTS', subjects: ['events.>'], storage: StorageType.File });
    for (let index = 0; index < 100; index += 1) await jetstream(connection).publish('events.a.b.c', String(index));

    const killed = nats.pid;
    if (killed === undefined) throw new Error('not running');
    process.kill(killed, 'SIGKILL');
    const stream = await until(
      'the stream answers again',
      () => nats.pid !== killed && manager.streams.info('EVENTS').catch(() => undefined),
    );
    expect(stream.state.messages).toBe(100);
    await connection.close();
  });

  it('is started again when it runs and answers no more', async () => {
    const nats = await start(temporaryFolder(), { everyMs: 20, answerMs: 2_000, failures: 2 });
    const silent = nats.pid!;
    process.kill(silent, 'SIGSTOP');
    await until('it was ended and runs again', () => nats.pid !== undefined && nats.pid !== silent);
    const connection = await connectTo(nats);
    const manager = await jetstreamManager(connection, { checkAPI: false });
    await until('it answers', () =>
      manager.streams
        .names()
        .next()
        .catch(() => undefined),
    );
    await connection.close();
  });

  it('keeps accounts and streams over a stop, its secrets readable by the owner only', async () => {
    const dataDir = temporaryFolder();
    const first = await start(dataDir);
    const before = await connectTo(first);
    await (await jetstreamManager(before)).streams.add({ name: 'EVENTS', subjects: ['events.>'] });
    await jetstream(before).publish('events.a.b.c', '1');
    await before.close();
    await first.stop();

    const second = await start(dataDir);
    expect(second.accounts).toEqual(first.accounts);
    const after = await connectTo(second);
    const stream = await (await jetstreamManager(after)).streams.info('EVENTS');
    expect(stream.state.messages).toBe(1);
    await after.close();
    expect(statSync(join(dataDir, 'nats', 'trust.json')).mode & 0o777).toBe(0o600);
  });
});
