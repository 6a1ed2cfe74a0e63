import { RoostError } from '#lib/contracts';
import type { Content } from '#lib/workspace-client';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ChannelAdapter, type Connection, DeliveryError } from '../adapters/channel-adapter.js';
import { sendFile } from './send-file.js';

const adapter = { format: (text: string) => [text], maxOutboundBytes: 1_000 } as unknown as ChannelAdapter;
const file = { accountId: 'a', agentId: 'b', place: '7', path: 'reports/may.pdf' };
const stopped = new RoostError('AGENT_UNAVAILABLE', 'the agent is stopped');
const away = new RoostError('SERVICE_UNAVAILABLE', 'its workspace is away');
const unreadable = new RoostError('INTERNAL', 'it cannot be read');

function* failingWith(error: Error) {
  yield Buffer.from('the first part');
  throw error;
}

describe('a file of the workspace', () => {
  let shown: string[];
  let opened: () => Readable;
  const upload = async ({ bytes }: { bytes: Readable }) => {
    shown.push((await buffer(bytes)).toString());
    return '1';
  };
  let take = upload;
  const send = (ageMs = 0) => {
    const read = () => Promise.resolve().then(() => ({ about: { size: 20 }, bytes: opened() }));
    const connection = {
      send: (_place: string, text: string) => Promise.resolve(String(shown.push(text))),
      sendFile: (_place: string, each: { bytes: Readable }) => take(each),
    };
    return sendFile({ read } as unknown as Content, adapter, connection as unknown as Connection, file, {
      ...{ key: 'k', isRepeat: false, since: new Date(Date.now() - ageMs) },
    });
  };
  beforeEach(() => {
    [shown, take] = [[], upload];
  });
  const fails = (error: Error) => {
    opened = () => {
      throw error;
    };
  };

  it('waits while its workspace is away, also in the middle of it', async () => {
    fails(away);
    await expect(send()).rejects.toMatchObject({ outcome: 'retry', message: away.message });
    opened = () => Readable.from(failingWith(away));
    await expect(send(3_600_000)).rejects.toMatchObject({ outcome: 'retry', message: away.message });
    expect(shown).toEqual([]);
  });

  it('is named instead when it cannot be read, also in the middle of it', async () => {
    fails(unreadable);
    await send();
    opened = () => Readable.from(failingWith(unreadable));
    await send();
    const instead = 'I could not send the file "may.pdf": it cannot be read';
    expect(shown).toEqual([instead, instead]);
  });

  it('waits ten minutes for its agent to be started', async () => {
    fails(stopped);
    await expect(send()).rejects.toMatchObject({ outcome: 'retry' });
    await send(660_000);
    expect(shown).toEqual(['I could not send the file "may.pdf": the agent is stopped']);
  });

  it('fails as the platform says when its upload breaks off', async () => {
    opened = () => Readable.from([Buffer.from('all of it')]);
    take = async ({ bytes }) => {
      bytes.destroy(new Error('socket hang up'));
      await new Promise((done) => bytes.once('close', done));
      throw new DeliveryError('uncertain', 'no answer');
    };
    await expect(send()).rejects.toMatchObject({ outcome: 'uncertain' });
  });
});
