import { SlackPlatform, until } from '#lib/testing';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BotCredentials, ConnectionState, InboundMessage } from '../adapters/channel-adapter.js';
import { SlackConnection } from './slack-connection.js';

const ONCE = { key: 'delivery-1', isRepeat: false };
const AGAIN = { key: 'delivery-1', isRepeat: true, since: new Date() };

describe('a Slack connection, through the SDKs and a double of Slack', () => {
  let slack: SlackPlatform;
  let app: ReturnType<SlackPlatform['addApp']>;
  const open: SlackConnection[] = [];
  const got: InboundMessage[] = [];
  const states: ConnectionState[] = [];
  let onMessage: (message: InboundMessage) => Promise<void>;

  const connect = (more: Partial<BotCredentials> = { appToken: app.appToken }) => {
    const { botToken: token, signingSecret } = app;
    const connection = new SlackConnection(
      slack.url,
      { token, signingSecret, ...more },
      { onMessage: (message) => onMessage(message), onState: (state) => states.push(state) },
    );
    open.push(connection);
    return connection;
  };
  const connected = () => until('it is connected', () => states.at(-1)?.health === 'connected');
  const say = (text: string, more = {}) =>
    slack.sockets.send(app.appToken, 'events_api', slack.message('U7', text, more));
  const acknowledged = (id: string) => until('it is acknowledged', () => slack.sockets.acknowledged.includes(id));

  beforeEach(async () => {
    got.length = states.length = 0;
    onMessage = (message) => Promise.resolve(void got.push(message));
    slack = await SlackPlatform.start();
    app = slack.addApp();
  });
  afterEach(async () => {
    for (const connection of open.splice(0)) await connection.close();
    await slack.stop();
  });

  it('takes direct messages, mentions and threads, and no bot, edit or notice', async () => {
    connect();
    await connected();
    say('a &lt;b&gt; <https://x.example|x> <@U9|bo>');
    say(`hey <@${app.botUser}> you`, { channel: 'C1', thread_ts: '1.5' });
    say('among us', { channel: 'C1', ts: '9.5' });
    say('answer', { channel: 'C1', thread_ts: '2.5', parent_user_id: app.botUser });
    for (const more of [{ bot_id: 'B1' }, { subtype: 'message_changed' }, { user: app.botUser }]) say('no', more);
    say('!stop');
    await until('all are there', () => got.length === 5);
    // Each channel keeps its order; between channels there is none.
    const inOrder = got.toSorted((a, b) => a.place.localeCompare(b.place));
    expect(inOrder.map(({ place, text, isDirect, isAddressed }) => [place, text, isDirect, isAddressed])).toEqual([
      ['C1/1.5', 'hey  you', false, true],
      ['C1/2.5', 'answer', false, true],
      ['C1/9.5', 'among us', false, false],
      ['D7', 'a <b> x (https://x.example) @bo', true, true],
      ['D7', '/stop', true, true],
    ]);
    expect(inOrder.at(-1)?.sender).toEqual({ id: 'U7', username: 'u7', displayName: 'Person u7', teamId: 'T1' });
  });

  it('gives one id to the two events of a mention', async () => {
    connect();
    await connected();
    const more = { channel: 'C1', ts: '3.5' };
    say(`<@${app.botUser}> hi`, more);
    say(`<@${app.botUser}> hi`, { ...more, type: 'app_mention' });
    await until('both are there', () => got.length === 2);
    expect(got[0]?.eventId).toBe(got[1]?.eventId);
  });

  it('acknowledges what is safe only, and gets the rest again on the next socket', async () => {
    connect();
    await connected();
    let refused = 0;
    onMessage = () => Promise.reject(new Error(`the disk is full ${(refused += 1)}`));
    const id = say('keep this');
    await until('it was tried', () => refused === 1);
    expect(slack.sockets.acknowledged).not.toContain(id);
    onMessage = (message) => Promise.resolve(void got.push(message));
    slack.sockets.drop(app.appToken);
    await acknowledged(id);
    expect(got.map(({ text }) => text)).toEqual(['keep this']);
  });

  it('moves to a new socket when Slack asks for it', async () => {
    connect();
    await connected();
    slack.sockets.refresh(app.appToken);
    await until('the second socket is open', () => slack.sockets.opened === 2 && states.at(-1)?.health === 'connected');
    await acknowledged(say('still there?'));
    expect(slack.sockets.countOf(app.appToken)).toBe(1);
  });

  it('reports which token is refused, and does not storm', async () => {
    connect({ token: 'xoxb-1-2-wrong', appToken: app.appToken });
    await until('it failed', () => states[0]);
    expect(states).toEqual([{ health: 'failed', reason: expect.stringContaining('bot_token (token_revoked)') }]);
    states.length = 0;
    connect({ appToken: 'xapp-wrong' });
    await until('it failed', () => states[0]);
    expect(states).toEqual([{ health: 'failed', reason: expect.stringContaining('app_token (invalid_auth)') }]);
    expect(slack.calls).toMatchObject({ 'auth.test': 2, 'apps.connections.open': 1 });
  });

  it('notices a token that is revoked while it is connected', async () => {
    const connection = connect();
    await connected();
    slack.revoke(app);
    await until('it failed', () => states.find(({ health }) => health === 'failed'));
    await expect(connection.send('D7', 'x', ONCE)).rejects.toMatchObject({ outcome: 'failed' });
  });

  it('shows, edits and answers in threads', async () => {
    const connection = connect();
    const id = await connection.send('C1/1.5', 'wor', ONCE);
    await connection.edit('C1/1.5', id, 'words');
    expect(slack.shownIn('C1')).toMatchObject([{ thread: '1.5', text: 'words', edits: 1 }]);
    await connection.showTyping('C1/1.5');
    expect(slack.statuses).toEqual([{ channel: 'C1', thread: '1.5', status: 'is thinking…' }]);
  });

  it('shows a message once when its answer is lost', async () => {
    const connection = connect();
    slack.faults['chat.postMessage'] = [{ drop: 'after' }];
    await expect(connection.send('D7', 'once', ONCE)).rejects.toMatchObject({ outcome: 'uncertain' });
    await connection.send('D7', 'once', AGAIN);
    slack.faults['chat.postMessage'] = [{ drop: 'before' }];
    await expect(connection.send('D8', 'late', ONCE)).rejects.toMatchObject({ outcome: 'uncertain' });
    await connection.send('D8', 'late', AGAIN);
    expect(slack.history.messages.map(({ text }) => text)).toEqual(['once', 'late']);
  });

  it('sorts what becomes of a message, and has nobody wait for a limit of another chat', async () => {
    const connection = connect();
    slack.faults['chat.postMessage'] = [{ retryAfter: 3_600 }, { error: 'is_archived' }, { status: 503 }];
    await expect(connection.send('D7', 'x', ONCE)).rejects.toMatchObject({ outcome: 'retry', retryAfterMs: 3_600_000 });
    await expect(connection.send('D7', 'x', ONCE)).rejects.toMatchObject({ outcome: 'failed' });
    await expect(connection.send('D7', 'x', ONCE)).rejects.toMatchObject({ outcome: 'uncertain' });
    const id = await connection.send('D7', 'x', ONCE);
    slack.faults['chat.update'] = [{ retryAfter: 3_600 }];
    await expect(connection.edit('D7', id, 'y')).rejects.toMatchObject({ outcome: 'retry', retryAfterMs: 3_600_000 });
    await connection.edit('D7', id, 'y');
    expect(slack.calls['chat.update']).toBe(2);
  });

  it('carries files both ways, and shows one once when the answer is lost', async () => {
    const connection = connect();
    await connected();
    const bytes = Buffer.alloc(3_000_000, 'ab');
    const file = () => ({ name: 'a b.bin', sizeBytes: bytes.length, bytes: Readable.from([bytes]) });
    slack.faults['files.completeUploadExternal'] = [{ drop: 'after' }];
    await expect(connection.sendFile('D7', file(), ONCE)).rejects.toMatchObject({ outcome: 'uncertain' });
    await connection.sendFile('D7', file(), AGAIN);
    const shown = slack.shownIn('D7');
    expect(shown).toHaveLength(1);
    expect(shown[0]?.file?.name).toBe('a b.bin');
    expect(shown[0]?.file?.bytes.equals(bytes)).toBe(true);
    say('look', { subtype: 'file_share', files: [slack.file('in.txt', bytes)] });
    const message = await until('it is there', () => got[0]);
    const [sent] = message.files;
    expect(sent).toMatchObject({ name: 'in.txt', sizeBytes: bytes.length });
    if (sent) expect((await buffer(await connection.download(sent))).equals(bytes)).toBe(true);
    await expect(connection.download({ reference: 'F0', name: 'x', sizeBytes: 1 })).rejects.toMatchObject({
      outcome: 'failed',
    });
  });

  it('takes slash commands and answers them to their giver alone', async () => {
    const connection = connect();
    await connected();
    slack.sockets.send(app.appToken, 'slash_commands', slack.slashCommand('U7', '/link', 'ABC', 'C1'));
    slack.sockets.send(app.appToken, 'slash_commands', slack.slashCommand('U7', '/roost', 'stop', 'C1'));
    await until('both are there', () => got.length === 2);
    expect(got).toMatchObject([
      { text: '/link ABC', place: 'D7', isDirect: true, sender: { id: 'U7', username: 'u7' } },
      { text: '/stop', place: 'C1', isDirect: false, isAddressed: true },
    ]);
    await connection.answer(got[0]?.answerTo ?? '', 'done');
    expect(slack.responses).toEqual([{ url: got[0]?.answerTo, text: 'done' }]);
    await expect(connection.answer('https://example.com/x', 'no')).rejects.toMatchObject({ outcome: 'failed' });
  });

  it('takes what Slack posts, when it is signed', async () => {
    const connection = connect({});
    await connected();
    const headersOf = async (body: Record<string, unknown>, at = Date.now()) => {
      let taken: { headers: Record<string, string>; body: Buffer } | undefined;
      const { createServer } = await import('node:http');
      const server = createServer((request, response) => {
        void buffer(request).then((bytes) => {
          taken = { headers: request.headers as Record<string, string>, body: bytes };
          response.end();
        });
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      await slack.post(app, `http://127.0.0.1:${port}`, body, at);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (!taken) throw new Error('nothing was posted');
      return taken;
    };
    const challenge = await headersOf({ type: 'url_verification', challenge: 'abc' });
    expect(await connection.receive(challenge)).toMatchObject({ status: 200, body: 'abc' });
    expect(await connection.receive(await headersOf(slack.message('U7', 'by post')))).toMatchObject({ status: 200 });
    expect(await connection.receive(await headersOf(slack.slashCommand('U7', '/stop', '')))).toMatchObject({
      status: 200,
    });
    expect(got.map(({ text }) => text)).toEqual(['by post', '/stop']);
    const old = await headersOf(slack.message('U7', 'old'), Date.now() - 301_000);
    expect(await connection.receive(old)).toMatchObject({ status: 401 });
    expect(await connection.receive({ ...challenge, body: Buffer.from('{}') })).toMatchObject({ status: 401 });
    expect(got).toHaveLength(2);
  });
});
