import { SlackPlatform, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChatPerson, chatJourney, type ChatRoost, link, startChatRoost } from './chat-journey.js';

/** The whole measure is 50 MB: `ROOST_FULL=1`. */
const FILM_BYTES = (process.env['ROOST_FULL'] ? 50 : 5) * 1024 ** 2;
const PATIENT = { timeoutMs: 60_000 };

describe('a person in Slack', () => {
  let slack: SlackPlatform;
  let roost: ChatRoost;
  type App = ReturnType<SlackPlatform['addApp']>;

  beforeAll(async () => {
    slack = await SlackPlatform.start();
    roost = await startChatRoost({ SLACK_API_BASE_URL: slack.url });
  });
  afterAll(async () => {
    await roost.stop();
    await slack.stop();
  });

  const agentWith = async ({ botToken, appToken, signingSecret }: Partial<App>, more = {}) => {
    const bot = { bot_token: botToken, signing_secret: signingSecret, ...(appToken ? { app_token: appToken } : {}) };
    const created = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
      name: 'Robin',
      slack_bot_token: bot,
      ...more,
    });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    return created.body.id;
  };
  const health = (agentId: string, wanted: string) =>
    until(`the channel is ${wanted}`, async () => {
      const { body } = await roost.api<{ channels: { type: string; health: string; health_reason?: string }[] }>(
        'GET',
        `/v1/agent/${agentId}/channels`,
      );
      const entry = body.channels.find(({ type }) => type === 'slack');
      return entry?.health === wanted && entry;
    });
  const personOf = (userId: string, deliver: (body: Record<string, unknown>) => Promise<unknown>): ChatPerson => {
    const shown = () => slack.shownIn(slack.directChannel(userId));
    return {
      // What begins with a slash is a command of Slack's own client.
      say: async (text) => void (await deliver(slack.message(userId, text.replace(/^\//, '!')))),
      sendFile: async (text, name, bytes) =>
        void (await deliver(slack.message(userId, text, { subtype: 'file_share', files: [slack.file(name, bytes)] }))),
      texts: () => shown().flatMap(({ text, file }) => (file ? [] : [text])),
      files: () => shown().flatMap(({ file }) => (file ? [file] : [])),
      edits: () => shown().findLast(({ file }) => !file)?.edits ?? 0,
    };
  };

  it('links, chats, sees the reply as it is written, swaps files, stops and unlinks, by Socket Mode', async () => {
    const app = slack.addApp();
    const agentId = await agentWith(app);
    await health(agentId, 'connected');
    const person = personOf('U7', async (body) => slack.sockets.send(app.appToken, 'events_api', body));
    await chatJourney(roost, agentId, 'slack', person);
  });

  it('does the same by signed posts to the gateway, and takes no unsigned one', async () => {
    const app = slack.addApp();
    const { botToken, signingSecret } = app;
    const agentId = await agentWith({ botToken, signingSecret });
    await health(agentId, 'connected');
    const url = `${roost.url}/v1/channels/slack/${agentId}/events`;
    const challenge = await slack.post(app, url, { type: 'url_verification', challenge: 'abc' });
    expect([challenge.status, await challenge.text()]).toEqual([200, 'abc']);
    const forged = { ...app, signingSecret: 'guessed' };
    expect((await slack.post(forged, url, slack.message('U8', 'hi'))).status).toBe(401);
    expect((await slack.post(app, `${roost.url}/v1/channels/slack/nobody/events`, {})).status).toBe(404);
    // As Slack does, it comes again until it is taken; what is taken twice is known by its id.
    const person = personOf('U8', (body) => until('it is taken', async () => (await slack.post(app, url, body)).ok));
    await chatJourney(roost, agentId, 'slack', person);
  });

  it('takes a decision by a signed press, and by none that is forged, old, or comes again', async () => {
    const app = slack.addApp();
    const { botToken, signingSecret } = app;
    const permissions = { rules: [{ tool: 'bash', action: 'ask' }] };
    const agentId = await agentWith({ botToken, signingSecret }, { configuration: { permissions } });
    await health(agentId, 'connected');
    const url = `${roost.url}/v1/channels/slack/${agentId}/events`;
    const post = async (body: Record<string, unknown>, by = app, at = Date.now()) =>
      (await slack.post(by, url, body, at)).status;
    const person = personOf('U12', (body) => until('it is taken', async () => (await post(body)) === 200));
    await link(roost, agentId, 'slack', person);
    const call = { name: 'bash', arguments: '{"command":"echo once >> log"}' };
    roost.model.on({ userMessage: 'deploy it', hasToolResult: false }, { toolCalls: [call] });
    roost.model.on({ userMessage: 'deploy it', hasToolResult: true }, { content: 'It is deployed.' });
    await person.say('deploy it');
    const [card, carried] = await until(
      'it asks',
      () => {
        const last = slack.shownIn(slack.directChannel('U12')).at(-1);
        const buttons = last?.blocks.flatMap((block) => (block.type === 'actions' ? block.elements : [])) ?? [];
        const value = buttons.find(({ text }) => text.text === 'Allow once')?.value;
        return last !== undefined && value !== undefined && ([last, value] as const);
      },
      PATIENT,
    );
    const press = slack.press('U12', card, carried);
    expect(await post(press, { ...app, signingSecret: 'guessed' })).toBe(401);
    expect(await post(press, app, Date.now() - 310_000)).toBe(401);
    const approvals = async () =>
      (await roost.api<{ approvals: object[] }>('GET', `/v1/approvals?agent_id=${agentId}`)).body.approvals;
    expect(await approvals()).toMatchObject([{ status: 'pending' }]);
    expect([await post(press), await post(press)]).toEqual([200, 200]);
    await until('it goes on', () => person.texts().at(-1) === 'It is deployed.', PATIENT);
    expect(await approvals()).toMatchObject([{ status: 'allowed', decided_by: { type: 'person', id: 'slack:U12' } }]);
    const log = await roost.api<{ content: string }>('GET', `/v1/agent/${agentId}/filesystem/files/log`);
    expect(log.body.content).toBe('once\n');
  });

  it('answers in a channel when mentioned, in the thread, or to all of a person when set so', async () => {
    const app = slack.addApp();
    const agentId = await agentWith(app);
    await health(agentId, 'connected');
    const send = (body: object) => slack.sockets.send(app.appToken, 'events_api', body);
    const binding = await link(
      roost,
      agentId,
      'slack',
      personOf('U9', async (body) => send(body)),
    );
    send(slack.message('U9', 'still there? (not for you)', { channel: 'C5' }));
    send(slack.message('U9', `<@${app.botUser}> still there?`, { channel: 'C5', ts: '5.5' }));
    const answer = await until('it answers', () => slack.shownIn('C5')[0]);
    expect(answer.thread).toBe('5.5');
    const path = `/v1/agent/${agentId}/channels/${binding.id}`;
    expect((await roost.api('PATCH', path, { listen: 'all' })).body).toMatchObject({ listen: 'all' });
    send(slack.message('U9', 'still there?', { channel: 'C6', ts: '6.5' }));
    await until('it answers unasked', () => slack.shownIn('C6').length > 0);
    expect(slack.shownIn('C5')).toHaveLength(1);
  });

  it('brings a large file to the agent, says so of one that does not fit, and takes none of who is unlinked meanwhile', async () => {
    const app = slack.addApp();
    const agentId = await agentWith(app);
    await health(agentId, 'connected');
    const person = personOf('U11', async (body) => slack.sockets.send(app.appToken, 'events_api', body));
    const isShown = (text: string) => until(`"${text}" is shown`, () => person.texts().join().includes(text), PATIENT);
    await link(roost, agentId, 'slack', person);
    const film = Buffer.alloc(FILM_BYTES, 'film');
    const sentAt = Date.now();
    await person.sendFile('', 'film.mkv', film);
    await isShown('I have your file');
    console.log(`${FILM_BYTES} bytes reached the agent and were answered in ${Date.now() - sentAt} ms`);
    const messages = async () =>
      JSON.stringify((await roost.api('GET', `/v1/agent/${agentId}/messages?limit=100`)).body);
    const [, path, folder] = /\/workspace\/((inbox\/[\d-]+)\/\w+-film\.mkv) \(\d+ bytes\)/.exec(await messages()) ?? [];
    const kept = await roost.api<{ size: number }>('GET', `/v1/agent/${agentId}/filesystem/metadata/${path}`);
    expect(kept.body.size).toBe(film.length);

    const huge = { subtype: 'file_share', files: [slack.file('huge.iso', Buffer.alloc(1), 300 * 1024 ** 2)] };
    slack.sockets.send(app.appToken, 'events_api', slack.message('U11', '', huge));
    await isShown('I did not take "huge.iso": files can be at most 256 MB here.');

    // A large file may have been asked for more than once on a busy machine.
    const asked = slack.filesAsked;
    let release = () => undefined as void;
    slack.filesReady = new Promise((resolve) => (release = resolve));
    await person.sendFile('for you', 'late.txt', Buffer.from('too late'));
    await until('the file is asked for', () => slack.filesAsked > asked);
    expect((await roost.api('DELETE', `/v1/agent/${agentId}/slack/unlink`)).status).toBe(200);
    release();
    await isShown('You were unlinked meanwhile');
    const list = await roost.api('GET', `/v1/agent/${agentId}/filesystem/directories/${folder}`);
    expect(JSON.stringify(list.body)).toContain('film.mkv');
    expect(JSON.stringify(list.body)).not.toContain('late.txt');
    expect(await messages()).not.toContain('for you');
  });

  it('connects again within seconds when the token is rotated, and keeps who is linked', async () => {
    const app = slack.addApp();
    const agentId = await agentWith(app);
    await health(agentId, 'connected');
    const person = personOf('U10', async (body) => slack.sockets.send(next.appToken, 'events_api', body));
    let next = app;
    await link(roost, agentId, 'slack', person);
    next = slack.addApp({ ...app, botToken: `${app.botToken}-rotated`, appToken: 'xapp-1-rotated' });
    const bot = { bot_token: next.botToken, app_token: next.appToken, signing_secret: next.signingSecret };
    const since = Date.now();
    await roost.api('POST', `/v1/agent/update/${agentId}`, { slack_bot_token: bot });
    await until('the new socket is open', () => slack.sockets.countOf(next.appToken) === 1);
    console.log(`connected ${Date.now() - since} ms after the rotation`);
    await person.say('still there?');
    await until('it answers', () => person.texts().at(-1)?.includes('I am still here'));
  });

  it('says why a revoked app failed, and sends the agent_error webhook once', async () => {
    const app = slack.addApp();
    const { createServer } = await import('node:http');
    const received: string[] = [];
    const receiver = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(chunk.toString('utf8')));
      request.on('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => receiver.once('listening', resolve));
    const address = receiver.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`;
    const agentId = await agentWith(app, { configuration: { webhooks: { agent_error: url } } });
    await health(agentId, 'connected');
    slack.revoke(app);
    const failed = await health(agentId, 'failed');
    expect(failed.health_reason).toContain('set a new slack_bot_token');
    const [event] = await until('the webhook is sent', () => received.length > 0 && received);
    expect(JSON.parse(event ?? '')).toMatchObject({ type: 'agent.error', data: { error: { code: 'CHANNEL_FAILED' } } });
    const calls = slack.calls['apps.connections.open'];
    await roost.api('GET', `/v1/agent/${agentId}/channels`);
    expect(slack.calls['apps.connections.open']).toBe(calls);
    expect(received).toHaveLength(1);
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });
});
