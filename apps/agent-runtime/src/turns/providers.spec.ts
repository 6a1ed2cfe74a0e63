import { LLMock } from '@copilotkit/aimock';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { agentKeyRefused, MAX_RETRY_AFTER_MS } from '#lib/contracts';
import { until } from '#lib/testing';
import { type RuntimeFixture, startRuntime } from '../../test/runtime-fixture.js';

const KEY = 'sk-canary-7f3a9c';

const FORMATS = [
  {
    name: 'Anthropic messages',
    model: 'anthropic/claude-sonnet-4-5',
    env: (url: string) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: KEY }),
  },
  {
    name: 'OpenAI chat completions',
    model: 'openai/gpt-test',
    env: (url: string) => ({ OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: KEY }),
  },
  {
    // The SDK reads this address from the process: Roost's own OPENAI_BASE_URL is for compatible servers.
    name: 'OpenAI responses',
    model: 'openai/gpt-5-test',
    env: (url: string) => ((process.env['OPENAI_BASE_URL'] = `${url}/v1`), { OPENAI_API_KEY: KEY }),
  },
  {
    name: 'Google generateContent',
    model: 'google/gemini-test',
    env: (url: string) => ({ GOOGLE_BASE_URL: `${url}/v1beta`, GOOGLE_API_KEY: KEY }),
  },
];

describe.each(FORMATS)('a turn over $name', ({ model, env }) => {
  // Google's servers end a step with tool calls by STOP, which this mock does only when asked to.
  const ends = model.startsWith('google') ? { finishReason: 'stop' } : {};
  const mock = new LLMock({ port: 0, logLevel: 'silent' });
  let runtime: RuntimeFixture;
  let sql: pg.Client;

  beforeAll(async () => {
    await mock.start();
    runtime = await startRuntime({ ...env(mock.url), ROOST_DEFAULT_MODEL: model, ROOST_MODEL_SILENCE_SECONDS: '5' });
    runtime.workspace.start();
    sql = new pg.Client({ connectionString: runtime.database.url });
    await sql.connect();
  });
  afterEach(() => void mock.reset());
  afterAll(async () => {
    delete process.env['OPENAI_BASE_URL'];
    await sql.end();
    await runtime.stop();
    await mock.stop();
  });

  // Each takes seconds and is the same over every wire; what wires differ in is in misbehaving-provider.spec.ts.
  const onOneWire = it.runIf(model === FORMATS[0]?.model);

  /** A fresh conversation each, so that no fixture sees another test's messages. */
  let conversations = 0;
  const say = (text: string) => runtime.platform.send(text, { conversationId: `c${conversations++}` });

  it('streams text and counts tokens', async () => {
    mock.onMessage(
      'hello',
      {
        content: 'Hi there, how can I help?',
        usage: {
          prompt_tokens: 120,
          completion_tokens: 7,
          input_tokens: 120,
          output_tokens: 7,
          promptTokenCount: 120,
          candidatesTokenCount: 7,
        },
      },
      { chunkSize: 5 },
    );
    const { turnId, outcome } = say('hello');
    const { replies, usage } = await outcome;
    expect(replies).toEqual(['Hi there, how can I help?']);
    expect(usage).toMatchObject({ inputTokens: 120, outputTokens: 7 });
    await until('the deltas have come', () => runtime.platform.liveText(turnId) === replies[0]);
  });

  it('calls three tools in one step and answers from their results', async () => {
    mock.on({ userMessage: 'three', hasToolResult: true }, { content: 'All done.' });
    mock.onMessage('three', {
      toolCalls: [
        { name: 'write_file', arguments: '{"path":"one.txt","content":"1"}' },
        { name: 'bash', arguments: '{"command":"cat one.txt"}' },
        { name: 'list_files', arguments: '{}' },
      ],
      ...ends,
    });
    const { replies } = await say('three').outcome;
    expect(replies).toEqual(['All done.']);
    expect(runtime.workspace.files.get('one.txt')?.toString()).toBe('1');
    expect(runtime.workspace.commands).toContain('cat one.txt');
  });

  it.each([
    ['arguments that do not fit', 'write_file', '{"path":5}'],
    ['a tool that does not exist', 'launch_rocket', '{}'],
    ['broken JSON', 'write_file', '{"path": "a.txt", "cont'],
  ])('gives %s back to the model as an error', async (_, name, args) => {
    mock.on({ userMessage: 'bad call', hasToolResult: true }, { content: 'I see my mistake.' });
    mock.onMessage('bad call', { toolCalls: [{ name, arguments: args }] });
    const { turnId, outcome } = say('bad call');
    await expect(outcome).resolves.toMatchObject({ end: 'completed', replies: ['I see my mistake.'] });
    await until('the error was sent', () =>
      runtime.platform.live.some((event) => event.turnId === turnId && event.tool?.isError === true),
    );
  });

  it('says which key was refused, and never the key', async () => {
    mock.onMessage('locked', {
      error: { message: `invalid x-api-key ${KEY}`, type: 'authentication_error' },
      status: 401,
    });
    const { end, error, retryable } = await say('locked').outcome;
    expect({ end, retryable }).toEqual({ end: 'failed', retryable: false });
    expect(error).toMatchObject({
      code: 'MODEL_KEY_REFUSED',
      message: expect.stringContaining(`the platform's ${model.split('/')[0]} key`) as string,
    });
    expect(error?.message).not.toContain(KEY);
  });

  it('reports a refused key to the agent’s owner once, until a turn succeeds again', async () => {
    const reports = async () => {
      const { rows } = await sql.query<{ payload: { agent_id: string; message: string } }>(
        'SELECT payload FROM runtime.outbox WHERE subject = $1 ORDER BY id',
        [agentKeyRefused.subject],
      );
      return rows.map(({ payload }) => payload);
    };
    const turns = async (text: string, times: number) => {
      mock.onMessage('locked', { error: { message: 'invalid x-api-key', type: 'authentication_error' }, status: 401 });
      mock.onMessage('fine', { content: 'ok' });
      for (let time = 0; time < times; time++) await say(text).outcome;
      mock.reset();
    };
    await turns('fine', 1);
    const before = (await reports()).length;
    await turns('locked', 3);
    expect(await reports()).toHaveLength(before + 1);
    await turns('fine', 1);
    await turns('locked', 1);
    const all = await reports();
    expect(all).toHaveLength(before + 2);
    expect(all.at(-1)).toMatchObject({ agent_id: runtime.platform.agentId, code: 'MODEL_KEY_REFUSED' });
    expect(all.at(-1)?.message).toContain(`the platform's ${model.split('/')[0]} key`);
  });

  it.each(['agent', 'account'] as const)('says that it was the %s’s key', async (owner) => {
    const provider = model.split('/')[0] as 'anthropic' | 'openai' | 'google';
    runtime.platform.agent = {
      ...runtime.platform.agent,
      providerKeys: { [provider]: 'sk-own' },
      providerKeyOwners: { [provider]: owner },
    };
    mock.onMessage('locked', { error: { message: 'invalid key', type: 'authentication_error' }, status: 401 });
    const { error } = await say('locked').outcome;
    runtime.platform.agent = { ...runtime.platform.agent, providerKeys: {}, providerKeyOwners: {} };
    expect(error?.message).toBe(`${provider} refused the ${owner}'s ${provider} key: set a valid key: invalid key`);
  });

  onOneWire.each([429, 503])('hands a turn back for another try on HTTP %i', async (status) => {
    mock.onMessage('busy', { error: { message: 'overloaded' }, status, retryAfter: 0 });
    await expect(say('busy').outcome).resolves.toMatchObject({
      end: 'failed',
      retryable: true,
      error: { code: 'MODEL_OVERLOADED' },
    });
  });

  onOneWire.each([
    { retryAfter: 60, asked: 60_000 },
    { retryAfter: 7_200, asked: MAX_RETRY_AFTER_MS },
  ])('leaves a provider alone that asks for $retryAfter s: it is called once, and messaging told', async (given) => {
    mock.onMessage('limited', { error: { message: 'slow down' }, status: 429, retryAfter: given.retryAfter });
    const report = { end: 'failed', retryable: true, error: { code: 'MODEL_OVERLOADED' } };
    await expect(say('limited').outcome).resolves.toMatchObject({ ...report, retryAfterMs: given.asked });
    expect(mock.getRequests()).toHaveLength(1);
    // While services are replaced.
    runtime.platform.knowsRetryAfter = false;
    const outcome = await say('limited').outcome;
    runtime.platform.knowsRetryAfter = true;
    expect(outcome).toMatchObject(report);
    expect(outcome.retryAfterMs).toBeUndefined();
  });

  onOneWire('hands a turn back for another try when the stream is cut', async () => {
    mock.onMessage(
      'cut',
      { content: 'a long answer that will never arrive as a whole' },
      { chunkSize: 4, truncateAfterChunks: 4 },
    );
    await expect(say('cut').outcome).resolves.toMatchObject({
      end: 'failed',
      retryable: true,
      error: { code: 'MODEL_UNREACHABLE' },
    });
  });

  onOneWire('gives up on a provider that says nothing', async () => {
    mock.onMessage(
      'silent',
      { content: 'far too late' },
      { latency: 20_000, streamingProfile: { ttft: 20_000, tps: 1 } },
    );
    await expect(say('silent').outcome).resolves.toMatchObject({
      end: 'failed',
      retryable: true,
      error: { code: 'MODEL_UNREACHABLE' },
    });
  });

  it('stops a slow stream at the interrupt and keeps the text so far', async () => {
    mock.onMessage('slow', { content: 'word '.repeat(200) }, { chunkSize: 5, streamingProfile: { ttft: 10, tps: 5 } });
    const { turnId, outcome } = say('slow');
    await until('the first words are there', () => runtime.platform.liveText(turnId).length > 4);
    runtime.platform.interrupt(turnId);
    const { end, partialReply } = await outcome;
    expect(end).toBe('interrupted');
    expect(partialReply).toContain('word');
  });

  it('shortens a conversation that the model finds too long, once', async () => {
    const conversationId = `long-${conversations++}`;
    mock.on(
      { predicate: (request) => JSON.stringify(request).includes('Summarise the conversation') },
      { content: 'They sent three parts.' },
    );
    mock.on(
      { predicate: (request) => JSON.stringify(request).includes('They sent three parts.') },
      { content: 'Now it fits.' },
    );
    for (let index = 0; index < 3; index++) {
      mock.onMessage(`part ${index}`, { content: `answer ${index} `.repeat(100) });
      await runtime.platform.send(`part ${index}`, { conversationId }).outcome;
    }
    mock.onMessage('go on', {
      error: { message: 'prompt is too long: 250000 tokens > 200000 maximum', type: 'invalid_request_error' },
      status: 400,
    });
    await expect(runtime.platform.send('go on', { conversationId }).outcome).resolves.toMatchObject({
      end: 'completed',
      replies: ['Now it fits.'],
    });
  });

  onOneWire('stops a model that calls tools for ever', async () => {
    mock.onMessage('for ever', { toolCalls: [{ name: 'list_files', arguments: '{}' }], ...ends });
    const { end, replies } = await say('for ever').outcome;
    expect(end).toBe('completed');
    expect(replies[0]).toContain('stopped after 100 steps');
  });

  it('stops after the step that used up the balance', async () => {
    mock.onMessage('spend', { toolCalls: [{ name: 'list_files', arguments: '{}' }], ...ends });
    runtime.platform.balance = 1;
    const { end, replies } = await say('spend').outcome;
    runtime.platform.balance = 1_000_000;
    expect(end).toBe('completed');
    expect(replies[0]).toContain('balance is used up');
  });
});
