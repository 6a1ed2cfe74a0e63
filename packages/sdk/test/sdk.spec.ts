import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startRoost, type TestRoost, until } from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AgentDocument,
  type AgentEvent,
  AuthenticationError,
  ConflictError,
  type CreatedAgent,
  MessageFailedError,
  NotFoundError,
  PreconditionFailedError,
  Roost,
  ValidationError,
  verifyWebhook,
  type WebhookEvent,
  withSecrets,
} from '../src/index.js';

describe('the SDK against a Roost', () => {
  let server: TestRoost;
  let roost: Roost;
  let agent: CreatedAgent;
  beforeAll(async () => {
    server = await startRoost({ env: { ROOST_WEBHOOK_NETWORK: 'local' } });
    roost = new Roost({ url: server.url, apiKey: server.apiKey });
    agent = await roost.agents.create({ name: 'helper' });
  });
  afterAll(() => server?.stop());

  it('asks, and streams what the agent does', async () => {
    const reply = await agent.ask('write hello to notes.txt');
    expect(reply.text).toContain('notes.txt');
    expect(reply.message.content).toBe('write hello to notes.txt');
    const events: AgentEvent[] = [];
    for await (const event of agent.stream('read notes.txt')) events.push(event);
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['message.created', 'message.delivered', 'turn.started']);
    expect(types).toContain('tool.call');
    expect(types.at(-1)).toBe('message.completed');
    const text = events.flatMap((event) => (event.type === 'text.delta' ? [event.data.text] : [])).join('');
    const last = events.at(-1);
    expect(last?.type === 'message.completed' && last.data.replies[0]?.content).toBe(text);
    let pieces = '';
    const stream = agent.stream('read notes.txt');
    for await (const piece of stream.text()) pieces += piece;
    expect(pieces).toContain('hello');
    await expect(stream.reply()).rejects.toThrow(/read once/);
    expect((await agent.stream('list files').reply()).text).toContain('notes.txt');
  });

  it('sends no message twice with one key, and waits for what was sent', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() => agent.messages.send({ content: 'list files' }, { idempotencyKey: 'only-once' })),
    );
    expect(one?.id).toBe(two?.id);
    const reply = await agent.messages.reply(one?.id ?? '');
    expect((await agent.messages.markRead(reply.replies[0]?.id ?? '')).status).toBe('read');
    expect((await agent.messages.get(one?.id ?? '')).replies).toHaveLength(1);
  });

  it('ends a wait by a signal, and says of an interrupted message that it is not answered', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    const slow = agent.ask('run: sleep 30', { signal: abort.signal, conversation_id: 'slow' });
    await until('the turn runs', async () => (await agent.messages.list().first())[0]?.status === 'delivered');
    const { id } = (await agent.messages.list().first())[0] ?? { id: '' };
    const waiting = agent.messages.reply(id);
    const seen: string[] = [];
    const following = (async () => {
      for await (const { type } of agent.events({ messageId: id, after: '0' })) {
        seen.push(type);
        if (type === 'turn.interrupted') return;
      }
    })();
    abort.abort(reason);
    await expect(slow).rejects.toBe(reason);
    const next = agent.ask('list files', { queue_mode: 'interrupt', conversation_id: 'slow' });
    await expect(waiting).rejects.toThrow(MessageFailedError);
    await following;
    expect(seen).toContain('turn.started');
    expect((await next).text).toContain('notes.txt');
  });

  it('goes through lists of any length, page by page', async () => {
    const quiet = await roost.agents.create({ name: 'quiet' });
    await quiet.pause();
    const names = Array.from({ length: 103 }, (_, n) => `listed-${n}`);
    for (const name of names) await quiet.messages.send({ content: name, conversation_id: 'long' });
    const query = { conversation_id: 'long', limit: 40 };
    const contents = (messages: { content: string }[]) => messages.map(({ content }) => content);
    const backward = await quiet.messages.list(query).toArray();
    expect(contents(backward)).toEqual(names.toReversed());
    const after = backward.at(-1)?.id ?? '';
    expect(contents(await quiet.messages.list({ ...query, after }).toArray(90))).toEqual(names.slice(1, 91));
    const one = roost.agents.list({ limit: 1, sort: 'name', order: 'asc' });
    expect((await one.toArray()).map(({ id }) => id)).toEqual([agent.id, quiet.id]);
    const conversations = await quiet.messages.conversations().toArray();
    expect(conversations.map(({ id, message_count: count }) => [id, count])).toEqual([['long', 103]]);
    await quiet.delete();
  });

  it('carries files of any size both ways as streams, and guards them by etag', async () => {
    const megabyte = new Uint8Array(2 ** 20).map((_, n) => n % 251);
    const parts = async function* () {
      for (let n = 0; n < 5; n += 1) yield megabyte;
    };
    await agent.files.write('deep/ä b#%2F?.bin', parts());
    const download = await agent.files.download('deep/ä b#%2F?.bin');
    expect(download.size).toBe(5 * 2 ** 20);
    const bytes = await download.bytes();
    expect([bytes.length, bytes[2 ** 20 + 5]]).toEqual([5 * 2 ** 20, 5]);
    const part = await agent.files.download('deep/ä b#%2F?.bin', { range: { start: 10, end: 19 } });
    expect([...(await part.bytes())]).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);

    await agent.files.write('a.txt', 'one');
    const { etag } = await agent.files.download('a.txt');
    await agent.files.write('a.txt', 'two', { ifMatch: etag });
    await expect(agent.files.write('a.txt', 'three', { ifMatch: etag })).rejects.toThrow(PreconditionFailedError);
    await expect(agent.files.write('a.txt', 'x', { overwrite: false })).rejects.toThrow(ConflictError);
    expect(await agent.files.read('a.txt')).toBe('two');
    await agent.files.patch('a.txt', { operation: 'append', content: '!' });
    await agent.files.copy([{ source: 'a.txt', destination: 'b.txt' }]);
    await agent.files.move([{ source: 'b.txt', destination: 'c.txt' }]);
    await agent.files.makeDirectory('empty/one');
    const entries = await agent.files.list('', { recursive: true }).toArray();
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(['a.txt', 'c.txt']));
    expect((await agent.files.list('deep').toArray()).map(({ name }) => name)).toEqual(['ä b#%2F?.bin']);
    expect((await agent.files.search({ query: 'two!', type: 'content' })).total).toBe(2);
    expect((await agent.files.stat('a.txt')).size).toBe(4);
    const archive = await agent.files.downloadArchive('empty');
    expect((await agent.files.uploadArchive('again', archive.stream)).files).toBe(0);
    await agent.files.deleteDirectory('empty', { recursive: true });
    expect((await agent.files.deleteMany(['c.txt', 'nothing']))[0]?.success).toBe(true);
    await agent.files.delete('a.txt');
    await expect(agent.files.read('a.txt')).rejects.toThrow(NotFoundError);
    const left = await agent.files.download('deep/ä b#%2F?.bin');
    await left.cancel();
  });

  it('keeps schedules and triggers, and fires both', async () => {
    const schedule = await agent.schedules.create({
      name: 's',
      cron_expression: '@yearly',
      message_template: 'list files',
    });
    const [next] = await agent.schedules.nextRuns({ cron_expression: '@yearly' });
    expect(next).toBe(schedule.next_run_at);
    expect((await agent.schedules.setEnabled(schedule.id, false)).next_run_at).toBeNull();
    expect((await agent.schedules.update(schedule.id, { name: 't', enabled: true })).name).toBe('t');
    await agent.schedules.run(schedule.id);
    await until(
      'it ran',
      async () => (await agent.schedules.executions(schedule.id).first())[0]?.status === 'completed',
    );
    const trigger = await agent.triggers.create({ name: 't', message_template: 'write {{payload.word}} to fired.txt' });
    const fired = { payload: { word: 'seen' }, secret: trigger.webhook_secret };
    const { message_id: messageId } = await agent.triggers.fire(trigger.id, fired, { idempotencyKey: 'delivery-1' });
    expect((await agent.triggers.fire(trigger.id, fired, { idempotencyKey: 'delivery-1' })).message_id).toBe(messageId);
    await agent.messages.reply(messageId);
    expect(await agent.files.read('fired.txt')).toContain('seen');
    await expect(agent.triggers.fire(trigger.id, { payload: {}, secret: 'whs_no' })).rejects.toThrow(
      AuthenticationError,
    );
    const tested = await agent.triggers.test(trigger.id, { word: 'tested' });
    await agent.messages.reply(tested.message_id);
    expect(await agent.files.read('fired.txt')).toContain('tested');
    expect(await agent.triggers.executions(trigger.id).toArray()).toHaveLength(2);
    await agent.schedules.delete(schedule.id);
    await agent.triggers.delete(trigger.id);
    expect([...(await agent.schedules.list().toArray()), ...(await agent.triggers.list().toArray())]).toEqual([]);
  });

  it('changes, compares, tries, pins and goes back to versions, and no change of two is lost', async () => {
    const singer = await roost.agents.create({ name: 'singer', system_prompt: 'Sing.' });
    const hum = { system_prompt: 'Hum.', configuration: { custom_env: { TOKEN: 'one' } } };
    const { version } = singer.details;
    const changed = await singer.update(hum, { ifVersion: version });
    await expect(singer.update({ description: 'x' }, { ifVersion: version })).rejects.toThrow(ConflictError);
    const more = { system_prompt: 'Mumble.', configuration: { custom_env: { TOKEN: 'another' } } };
    await singer.update(more, { ifVersion: changed.version });
    expect(await singer.versions.diff(1, 2)).toMatchObject([
      { field: 'configuration.custom_env.TOKEN', from: null, to: null, secret: { from: null, to: 2 } },
      { field: 'system_prompt', from: 'Sing.', to: 'Hum.', secret: null },
    ]);
    const draft = await singer.versions.draft({ system_prompt: 'Whistle.' });
    const answeredBy = async (options: { version?: number } = {}) => {
      await singer.ask('list files', options);
      const [newest] = await singer.runs.list().first();
      return (await singer.runs.get(newest?.id ?? '')).configuration_version;
    };
    expect([await answeredBy({ version: draft.version }), await answeredBy()]).toEqual([draft.version, 3]);
    await singer.messages.pin('default', 1);
    expect(await answeredBy()).toBe(1);
    await singer.messages.pin('default', null);
    const back = await singer.versions.rollBack(2, { ifVersion: 3, note: 'louder' });
    expect(back).toMatchObject({ agent: { system_prompt: 'Hum.' }, version: draft.version + 1 });
    expect(back.not_restored).toMatchObject([{ field: 'configuration.custom_env.TOKEN' }]);
    expect(await answeredBy()).toBe(back.version);
    expect((await singer.versions.list().toArray()).map(({ version }) => version)).toEqual([5, 4, 3, 2, 1]);
    await singer.delete();
  });

  it('exports an agent and applies it, with the secrets that the program has', async () => {
    const document = await roost.agents.export(agent.id);
    const [[name, exported] = []] = Object.entries(document.agents);
    expect(await roost.agents.apply(document)).toMatchObject({ differs: false, is_complete: true });
    const configuration = { custom_env: { A: { from_env: 'A' }, B: { from_env: 'B' } } };
    const wanted = { agents: { [`${name} 2`]: { ...exported, configuration } } };
    const { document: filled, missing } = withSecrets(wanted, { A: 'a' });
    expect(missing).toEqual(['B']);
    expect(filled.agents[`${name} 2`]?.configuration?.custom_env).toEqual({ A: 'a', B: { from_env: 'B' } });
    await expect(roost.agents.apply(wanted, { env: { A: 'a' } })).rejects.toThrow(/custom_env\.B: B is not set/);
    const env = { A: 'a', B: 'b' };
    const dry = await roost.agents.apply(wanted, { env, dryRun: true });
    expect(dry.objects).toMatchObject([{ action: 'create', status: 'planned', id: null }]);
    const done = await roost.agents.apply(wanted, { env });
    expect(done.objects).toMatchObject([{ action: 'create', status: 'done' }]);
    // No secret is looked for where none belongs.
    const prompt = { agents: { x: { system_prompt: { from_env: 'A' } } } } as unknown as AgentDocument;
    expect(withSecrets(prompt, env)).toEqual({ document: prompt, missing: [] });
    await roost.agents.delete(done.objects[0]?.id ?? '');
  });

  it('verifies the webhooks that Roost sends', async () => {
    const events: WebhookEvent[] = [];
    const state = { secret: '' };
    const receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        verifyWebhook(body, request.headers, state.secret).then(
          (event) => response.writeHead(events.push(event) && 204).end(),
          () => response.writeHead(401).end(),
        );
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    const made = await roost.webhooks.endpoints.create({ url, events: ['*'] });
    state.secret = made.secret;
    await roost.webhooks.endpoints.test(made.endpoint.id);
    await agent.ask('list files');
    // Besides what tests before this one left: the deletion of their agents may still come.
    await until('the test came', () => events.some(({ type }) => type === 'webhook.test'));
    await until('the answer came', () =>
      events.some((event) => event.type === 'message.completed' && event.data.agent_id === agent.id),
    );
    await until('both are noted', async () =>
      (await roost.webhooks.deliveries.list({ endpoint_id: made.endpoint.id }).toArray()).every(
        ({ status }) => status === 'succeeded',
      ),
    );
    await roost.webhooks.endpoints.delete(made.endpoint.id);
    receiver.close();
    receiver.closeAllConnections();
  });

  it('gives every refusal as its kind, with the request’s id', async () => {
    await expect(roost.agents.create({ name: '' })).rejects.toThrow(ValidationError);
    await expect(roost.agents.get('nobody')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      requestId: expect.stringMatching(/^req_/) as string,
    });
    const stranger = new Roost({ url: server.url, apiKey: 'roost_sk_no' });
    await expect(stranger.models()).rejects.toThrow(AuthenticationError);
    await expect(stranger.agent(agent.id).events().next()).rejects.toThrow(AuthenticationError);
    expect((await roost.account.quotas()).map(({ name }) => name)).toContain('agents');
    expect((await roost.account.audit().toArray()).map(({ action }) => action)).toContain('api_key.created');
    expect((await roost.health()).status).toBe('ready');
  });

  it('ends the events of an agent with its deletion, and of a key with its revocation', async () => {
    const made = await roost.agents.create({ name: 'short' });
    const { key, uuid } = (await roost.account.keys.create({ name: 'revoked' })) as { key: string; uuid: string };
    const revoked = new Roost({ url: server.url, apiKey: key }).agent(made.id).events();
    const first = revoked.next();
    const types: string[] = [];
    const reading = (async () => {
      for await (const { type } of made.events({ after: '0' })) types.push(type);
    })();
    await made.ask('list files');
    expect((await first).done).toBe(false);
    await roost.account.keys.revoke(uuid);
    await expect(
      (async () => {
        for await (const event of revoked) types.push(`revoked ${event.type}`);
      })(),
    ).rejects.toThrow(AuthenticationError);
    await made.delete();
    await reading;
    expect(types.at(-1)).toBe('agent.deleted');
    await expect(made.get()).rejects.toThrow(NotFoundError);
  });
});
