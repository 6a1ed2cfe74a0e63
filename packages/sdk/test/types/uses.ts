/**
 * Uses that must compile, and misuses that must not: `npm run lint` checks both, nothing runs this file. Each misuse
 * stands under a directive that fails where there is no error.
 */
import {
  type AgentEvent,
  type AgentEventOf,
  AgentUnavailableError,
  type Api,
  type CallOptions,
  ConflictError,
  type CreatedAgent,
  type Download,
  type Listing,
  type Message,
  type MessageStream,
  NotFoundError,
  QuotaExceededError,
  RateLimitError,
  type Reply,
  Roost,
  RoostError,
  type Schedule,
  signWebhook,
  type Trigger,
  verifyWebhook,
  type WebhookEvent,
  type WebhookEventOf,
} from '@roost-ai/sdk';

const signal = AbortSignal.timeout(1_000);
const roost = new Roost({ url: 'http://localhost:3000', apiKey: 'roost_sk_1' });
const agent = roost.agent('id');

export async function uses(): Promise<unknown[]> {
  const made: unknown[] = [
    new Roost({ url: 'http://localhost:3000' }),
    roost.agents.apply(
      { agents: { a: { system_prompt: 'a', schedules: { s: { enabled: false } } } } },
      { dryRun: true },
    ),
    roost.agents.export('id').then((document) => roost.agents.apply({ ...document, prune: true }, { env: { A: 'a' } })),
    new Roost({ url: 'http://x', apiKey: () => 'key' }),
    new Roost({
      url: 'http://x',
      apiKey: async () => Promise.resolve('key'),
      retryForMs: 0,
      timeoutMs: 1,
      headers: { a: 'b' },
    }),
    new Roost({ url: 'http://x', fetch: (url, init) => fetch(url, init) }),
  ];
  // Agents.
  const created: CreatedAgent = await roost.agents.create({ name: 'a' });
  const model: string | undefined = created.details.configuration.model;
  await roost.agents.create(
    {
      name: 'a',
      session_mode: 'persistent',
      system_prompt: 'be short',
      configuration: { model: 'demo', network: { mode: 'none' }, custom_env: { A: 'b' } },
      initial_files: [{ path: 'a.txt', content: 'x', encoding: 'utf-8' }],
    },
    { signal, idempotencyKey: 'k', timeoutMs: 1, retryForMs: 1 },
  );
  for await (const one of roost.agents.list({ status: 'active', sort: 'name', order: 'asc' }))
    made.push(one.message_count);
  const some: { id: string; name: string }[] = await roost.agents.list().toArray(5);
  for await (const page of roost.agents.list().pages()) made.push(page.length);
  made.push((await roost.agents.list().first())[0]?.updated_at);
  const details = await roost.agents.get('id', { signal });
  const status: 'active' | 'paused' | 'stopped' | 'error' = details.status;
  await roost.agents.update('id', { description: null, configuration: { timeout_seconds: 60 } });
  await roost.agents.delete('id');
  await Promise.all([
    roost.agents.start('id'),
    roost.agents.stop('id'),
    roost.agents.pause('id'),
    roost.agents.resume('id'),
  ]);
  await Promise.all([agent.start(), agent.stop(), agent.pause(), agent.resume({ signal }), agent.setStatus('paused')]);
  made.push((await agent.ready()).workspace === 'asleep', (await agent.summary()).total_output_tokens_used);
  made.push(
    (await agent.setBalance({ delta: 5 })).output_token_balance,
    await agent.networkLog(5),
    await agent.delete(),
  );
  // Messages.
  const reply: Reply = await agent.ask('hi');
  const text: string = reply.text;
  await agent.ask('hi', { conversation_id: 'c', metadata: { a: [1, null] }, queue_mode: 'interrupt', signal });
  const stream: MessageStream = agent.stream('hi', { channel: 'telegram' });
  for await (const event of stream) {
    if (event.type === 'text.delta') made.push(event.data.text.length, event.data.seq + 1);
    if (event.type === 'tool.call') made.push(event.data.tool.name, event.data.tool.input);
    if (event.type === 'tool.result') made.push(event.data.tool.output?.length, event.data.tool.is_error === true);
    if (event.type === 'message.completed') made.push(event.data.usage.output_tokens, event.data.replies[0]?.content);
    if (event.type === 'message.failed') made.push(event.data.error.code);
    if (event.type === 'unknown') made.push(event.name, event.data);
  }
  for await (const piece of agent.stream('hi').text()) made.push(piece.length);
  made.push((await agent.stream('hi').reply()).replies.length);
  for await (const { id, type } of agent.events({ after: '0', messageId: 'msg_1', signal })) made.push(id, type);
  for await (const event of agent.runs.events('r', { after: '0', signal }))
    if (event.type === 'run.ended') made.push(event.data.status === 'completed', event.data.error?.code);
  const sent = await agent.messages.send({ content: 'hi' });
  const pending: 'pending' | 'delivered' | 'read' | 'failed' = sent.status;
  const { message } = await agent.messages.get(sent.id);
  made.push(message.waiting_for?.reason === 'retry', await agent.messages.reply(sent.id, { signal }));
  for await (const one of agent.messages.list({ status: 'pending', after: sent.id })) made.push(one.created_at);
  const newest: Message[] = await agent.messages.list().toArray(1);
  made.push(await agent.messages.markRead('msg'), await agent.messages.resetSession('c'), newest);
  for await (const one of agent.messages.conversations()) made.push(one.counterparty.display_name, one.unread_count);
  // Files.
  const content: string = await agent.files.read('a.txt');
  const download: Download = await agent.files.download('a.bin', { range: { start: 0, end: 9 } });
  made.push(download.size, download.etag, await download.bytes(), content);
  await agent.files.write('a', 'text', { overwrite: false });
  await agent.files.write('a', new Uint8Array(1), { ifMatch: download.etag });
  await agent.files.write('a', new Blob(['x']).stream());
  await agent.files.write('a', new Blob(['x']));
  await agent.files.write('a', download.stream, { signal });
  for await (const entry of agent.files.list('dir', { recursive: true }))
    made.push(entry.type === 'directory', entry.size);
  await agent.files.patch('a', { operation: 'append', content: 'x' }, { ifMatch: 'e' });
  made.push(
    (await agent.files.stat('a')).permissions,
    await agent.files.delete('a'),
    await agent.files.makeDirectory('d'),
  );
  made.push(
    await agent.files.deleteDirectory('d', { recursive: true }),
    await agent.files.setMetadata('a', { permissions: '644' }),
  );
  made.push((await agent.files.copy([{ source: 'a', destination: 'b', overwrite: true }]))[0]?.success);
  made.push(
    (await agent.files.move([{ source: 'a', destination: 'b' }]))[0]?.error,
    await agent.files.deleteMany(['a']),
  );
  made.push((await agent.files.search({ query: '*.md', type: 'filename' })).truncated);
  made.push((await agent.files.downloadArchive('d', { format: 'zip' })).stream);
  made.push((await agent.files.uploadArchive('d', new Uint8Array(1), { format: 'tar.gz', overwrite: true })).files);
  // Automation.
  const schedule: Schedule = await agent.schedules.create({
    name: 's',
    cron_expression: '@daily',
    message_template: 'go',
  });
  await agent.schedules.update(schedule.id, { timezone: 'Europe/Paris', overlap: 'skip', catch_up: 'none' });
  await agent.schedules.setEnabled(schedule.id, false);
  await agent.schedules.run(schedule.id);
  made.push(schedule.next_run_at, await agent.schedules.get('s'), await agent.schedules.delete('s'));
  for await (const one of agent.schedules.executions('s', { status: 'missed' })) made.push(one.scheduled_for);
  const trigger = await agent.triggers.create({ name: 't', message_template: '{{payload}}' });
  const secret: string = trigger.webhook_secret;
  const known: Trigger[] = await agent.triggers.list().toArray();
  made.push(await agent.triggers.fire(trigger.id, { payload: { a: 1 }, secret }, { idempotencyKey: 'd1' }), known);
  made.push(await agent.triggers.rotateSecret('t'), await agent.triggers.update('t', { enabled: false }));
  // Channels, webhooks, MCP, account.
  made.push((await agent.channels.link('telegram')).code, (await agent.channels.list())[0]?.health);
  made.push(await agent.channels.status('slack'), await agent.channels.unlink('discord'));
  const endpoint = await roost.webhooks.endpoints.create({ url: 'https://x', events: ['message.completed', '*'] });
  made.push(endpoint.secret, await roost.webhooks.endpoints.test(endpoint.endpoint.id));
  made.push(await roost.webhooks.endpoints.replay('e', { since: '2026-01-01T00:00:00Z', status: 'dead' }));
  for await (const delivery of roost.webhooks.deliveries.list({ status: 'dead' })) made.push(delivery.attempt_count);
  made.push((await roost.mcp.create({ name: 'm', url: 'https://x' })).id, await roost.mcp.health('m'));
  made.push((await roost.account.quotas())[0]?.limit, await roost.account.keys.create({ name: 'ci' }));
  made.push((await roost.models()).models[0]?.is_default, await roost.health());
  const token: string = (await roost.auth.login({ email: 'a@b', password: 'p' })).token;
  // Webhooks that come in.
  const event: WebhookEvent = await verifyWebhook('{}', new Headers(), 'whsec_x');
  if (event.type === 'message.completed') made.push(event.data.reply?.content, event.data.usage.input_tokens);
  if (event.type === 'schedule.missed') made.push(event.data.schedule.name);
  const failed: WebhookEventOf<'message.failed'>['data']['error']['code'] | undefined =
    event.type === 'message.failed' ? event.data.error.code : undefined;
  await verifyWebhook(new Uint8Array(1), { 'webhook-id': 'x', other: ['a'] }, ['a', 'b'], {
    toleranceSeconds: 5,
    now: 0,
  });
  const headers: string = (await signWebhook('{}', 'whsec_x', { id: 'm' }))['webhook-signature'];
  // Errors.
  try {
    await agent.ask('hi');
  } catch (error) {
    if (error instanceof QuotaExceededError) made.push(error.details[0]?.field, error.requestId);
    if (error instanceof RateLimitError) made.push((error.retryAfterMs ?? 0) / 1_000);
    if (error instanceof RoostError) made.push(error.code === 'BALANCE_EXHAUSTED', error.code === 'of a newer server');
    if (error instanceof NotFoundError || error instanceof ConflictError || error instanceof AgentUnavailableError)
      made.push(error.status);
  }
  // Types that a program names for itself.
  const list: Listing<Api.AgentsListResponses[200]['agents'][number]> = roost.agents.list();
  const onEvent = (one: AgentEventOf<'agent.status'>): string | null => one.data.reason;
  const options: CallOptions = { signal: undefined, idempotencyKey: undefined };
  return [...made, model, some, status, text, pending, secret, token, failed, headers, list, onEvent, options];
}

export async function misuses(event: AgentEvent): Promise<unknown[]> {
  const made: unknown[] = [];
  // @ts-expect-error: a URL is needed
  made.push(new Roost({ apiKey: 'k' }));
  // @ts-expect-error: a URL is a text
  made.push(new Roost({ url: new URL('http://x') }));
  // @ts-expect-error: no such option
  made.push(new Roost({ url: 'http://x', api_key: 'k' }));
  // @ts-expect-error: the key is a text
  made.push(new Roost({ url: 'http://x', apiKey: 5 }));
  // @ts-expect-error: an agent needs a name
  await roost.agents.create({});
  // @ts-expect-error: no such mode
  await roost.agents.create({ name: 'a', session_mode: 'forever' });
  // @ts-expect-error: no such field
  await roost.agents.create({ name: 'a', systemPrompt: 'x' });
  // @ts-expect-error: no such field of the configuration
  await roost.agents.create({ name: 'a', configuration: { modle: 'x' } });
  // @ts-expect-error: bytes are a count
  await roost.agents.create({ name: 'a', output_token_balance: '5' });
  // @ts-expect-error: no such status
  roost.agents.list({ status: 'asleep' });
  // @ts-expect-error: pages are asked for by reading on
  roost.agents.list({ page: 2 });
  // @ts-expect-error: a list is not a promise of an array
  made.push((await roost.agents.list()).length);
  // @ts-expect-error: an id is needed
  roost.agent();
  // @ts-expect-error: an id is a text
  roost.agent(5);
  // @ts-expect-error: a message is a text
  await agent.ask({ content: 'hi' });
  // @ts-expect-error: no such queue mode
  await agent.ask('hi', { queue_mode: 'now' });
  // @ts-expect-error: a signal, not a controller
  await agent.ask('hi', { signal: new AbortController() });
  // @ts-expect-error: a reply is not its text
  made.push((await agent.ask('hi')).toUpperCase());
  // @ts-expect-error: a stream is not awaited for its events
  for (const one of agent.stream('hi')) made.push(one);
  // @ts-expect-error: what an event holds is known by its type
  made.push(event.data.text);
  // @ts-expect-error: no such type of event
  made.push(event.type === 'text.detla');
  // @ts-expect-error: a delta has no replies
  if (event.type === 'text.delta') made.push(event.data.replies);
  // @ts-expect-error: the output of a tool is not in its call
  if (event.type === 'tool.call') made.push(event.data.tool.output);
  // @ts-expect-error: may be undefined
  made.push(event.id.length);
  // @ts-expect-error: cut streams are mended, not given
  made.push(event.type === 'stream.cut');
  // @ts-expect-error: no number is content
  await agent.files.write('a', 5);
  // @ts-expect-error: no such operation
  await agent.files.patch('a', { operation: 'insert', content: 'x' });
  // @ts-expect-error: a list of moves
  await agent.files.copy({ source: 'a', destination: 'b' });
  // @ts-expect-error: no such format
  await agent.files.downloadArchive('d', { format: 'rar' });
  // @ts-expect-error: a schedule needs a cron expression
  await agent.schedules.create({ name: 's', message_template: 'x' });
  // @ts-expect-error: no such way to catch up
  await agent.schedules.update('s', { catch_up: 'some' });
  // @ts-expect-error: the secret is shown when a trigger is made, and not again
  made.push((await agent.triggers.get('t')).webhook_secret);
  // @ts-expect-error: a trigger is fired with its secret
  await agent.triggers.fire('t', { payload: {} });
  // @ts-expect-error: no such platform
  await agent.channels.link('irc');
  // @ts-expect-error: no such event
  await roost.webhooks.endpoints.create({ url: 'https://x', events: ['message.done'] });
  // @ts-expect-error: verification takes time
  made.push(verifyWebhook('{}', new Headers(), 's').type);
  // @ts-expect-error: a parsed body has lost what was signed
  await verifyWebhook({ type: 'x' }, new Headers(), 's');
  // @ts-expect-error: a secret is needed
  await verifyWebhook('{}', new Headers());
  // @ts-expect-error: what a webhook holds is known by its type
  made.push((await verifyWebhook('{}', new Headers(), 's')).data.reply);
  // @ts-expect-error: no such method
  await agent.sendMessage('hi');
  return made;
}
