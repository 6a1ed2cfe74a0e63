import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ApiClient,
  OtlpReceiver,
  type ReceivedSpan,
  spawnRoost,
  startRoost,
  TelegramPlatform,
  temporaryFolder,
  until,
} from '#lib/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SECRET_TEXT = 'the-cat-is-called-Mimi';

const otel = (receiver: OtlpReceiver, protocol: string, more: Record<string, string> = {}) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
  OTEL_EXPORTER_OTLP_HEADERS: 'x-team=roost%20tests',
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  OTEL_BSP_SCHEDULE_DELAY: '200',
  ...more,
});

/** A receiver of webhooks. */
async function startHook() {
  const requests: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      requests.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { requests, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=hush` };
}

const parentOf = (trace: ReceivedSpan[], { parentSpanId }: ReceivedSpan) =>
  trace.find(({ spanId }) => spanId === parentSpanId);

/** One message that runs a command and triggers a webhook; its trace once nothing of it is missing. */
async function traceOfOneMessage(api: ApiClient, receiver: OtlpReceiver, hook: Awaited<ReturnType<typeof startHook>>) {
  const agent = await api<{ id: string }>('POST', '/v1/agent/create', {
    name: 'traced',
    configuration: { model: 'demo' },
  });
  const agentId = agent.body.id;
  await api('POST', '/v1/webhooks/endpoints', { url: hook.url, events: ['message.completed'], agent_ids: [agentId] });
  const content = `run: echo ${SECRET_TEXT}`;
  const sent = await api<{ id: string }>('POST', `/v1/agent/${agentId}/messages`, { content });
  expect(sent.status, JSON.stringify(sent.body)).toBe(201);
  const delivered = await until('the webhook arrived', () => hook.requests.find(({ body }) => body.includes(agentId)));
  const isAttempt = ({ name, attributes }: ReceivedSpan) => name === 'POST' && attributes['roost.agent.id'] === agentId;
  const trace = await until('the trace is whole', () => {
    const spans = receiver.traceOf(isAttempt);
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
    const hasAll = spans.every((span) => span.parentSpanId === undefined || parentOf(spans, span));
    return roots.length > 0 && hasAll && spans.some(({ name }) => name === 'invoke_agent') && spans;
  });
  return { agentId, trace, delivered };
}

function expectOneTrace(trace: ReceivedSpan[]): void {
  expect(trace.length).toBeGreaterThanOrEqual(12);
  const services = new Set(trace.map(({ service }) => service));
  expect([...services]).toEqual(
    expect.arrayContaining([
      'gateway',
      'messaging',
      'agent-runtime',
      'agent-lifecycle',
      'workspace',
      'webhook-dispatch',
    ]),
  );
  const roots = trace.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(roots.map(({ name, service, kind }) => ({ name, service, kind }))).toEqual([
    { name: 'POST /v1/agent/:id/messages', service: 'gateway', kind: 'server' },
  ]);
  const named = (name: string) => trace.filter((span) => span.name === name);
  const above = (span: ReceivedSpan | undefined): string[] =>
    span ? [`${span.service} ${span.name}`, ...above(parentOf(trace, span))] : [];

  // The turn goes on where the message was accepted, the model and the tool belong to it.
  expect(above(named('invoke_agent')[0])).toEqual([
    'agent-runtime invoke_agent',
    'messaging messaging.message.send',
    'gateway messaging.message.send',
    'gateway POST /v1/agent/:id/messages',
  ]);
  expect(named('chat demo').length).toBeGreaterThanOrEqual(2);
  const daemon = trace.find(({ service, name }) => service === 'workspace' && name === 'workspace.{agentId}.exec.run');
  expect(above(daemon).slice(0, 4)).toEqual([
    'workspace workspace.{agentId}.exec.run',
    'agent-runtime workspace.{agentId}.exec.run',
    'agent-runtime execute_tool bash',
    'agent-runtime invoke_agent',
  ]);
  // The reply's event is what the webhook was sent for.
  expect(above(named('POST')[0])).toEqual(expect.arrayContaining(['messaging messaging.turn.complete']));
  expect(named('claim turn')).toMatchObject([{ service: 'messaging', kind: 'server' }]);
  const statements = trace.filter(({ attributes }) => attributes['db.system.name'] === 'postgresql');
  expect(new Set(statements.map(({ service }) => service)).size).toBeGreaterThanOrEqual(3);

  for (const span of trace) {
    expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
    expect(span.resource).toMatchObject({ 'service.namespace': 'roost', 'deployment.environment.name': 'test' });
  }
}

describe('a message as one trace', () => {
  let receiver: OtlpReceiver;
  let hook: Awaited<ReturnType<typeof startHook>>;
  beforeAll(async () => {
    [receiver, hook] = await Promise.all([OtlpReceiver.start(), startHook()]);
  });
  afterAll(() => {
    receiver?.stop();
    hook?.server.close();
  });

  it('goes through all services of one process, over JSON, without what was said', async () => {
    const roost = await startRoost({ env: otel(receiver, 'http/json') });
    try {
      const { trace, delivered, agentId } = await traceOfOneMessage(roost.api, receiver, hook);
      expectOneTrace(trace);
      const attempt = trace.find(({ name }) => name === 'POST');
      expect(delivered.headers['traceparent']).toBe(`00-${attempt?.traceId}-${attempt?.spanId}-01`);
      expect(attempt?.attributes).toMatchObject({ 'server.address': '127.0.0.1', 'http.response.status_code': 204 });
      const calls = trace.filter(({ name }) => name === 'chat demo');
      for (const { attributes } of calls)
        expect(attributes).toMatchObject({
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': 'demo',
          'gen_ai.usage.output_tokens': expect.any(Number),
          'gen_ai.response.finish_reasons': [expect.any(String)],
        });
      const everything = JSON.stringify(receiver.spans);
      for (const hidden of [SECRET_TEXT, 'token=hush', roost.apiKey]) expect(everything).not.toContain(hidden);
      expect(everything).toContain(agentId);
    } finally {
      await roost.stop();
    }
    expect(receiver.refused).toEqual([]);
    expect(receiver.requests.map(({ contentType }) => contentType)).toContain('application/json');
    expect(receiver.requests[0]?.headers).toMatchObject({ 'x-team': 'roost tests' });
  });

  it('goes on with its caller’s, but for strangers, and holds what was said where the operator wants it', async () => {
    const roost = await startRoost({ env: otel(receiver, 'http/json', { ROOST_TRACE_CONTENT: 'true' }) });
    try {
      const agent = await roost.api<{ id: string }>('POST', '/v1/agent/create', {
        name: 'called',
        configuration: { model: 'demo', network: { mode: 'none', trace_context: true } },
      });
      const agentId = agent.body.id;
      const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
      const ask = async (content: string, headers: Record<string, string>) => {
        const path = `/v1/agent/${agentId}/messages`;
        const sent = await roost.api<{ id: string }>('POST', path, { content }, headers);
        const { body } = await roost.api<{ replies: { content: string }[] }>('GET', `${path}/${sent.body.id}?wait=60`);
        return body.replies[0]?.content ?? '';
      };
      // The owner lets commands know their trace: for OpenTelemetry in them, and for the proxy of plain HTTP.
      const reply = await ask('run: echo "<$TRACEPARENT> <$http_proxy>"', {
        traceparent: `00-${traceId}-${spanId}-01`,
      });
      expect(reply).toMatch(new RegExp(`<00-${traceId}-[0-9a-f]{16}-01> <http://00-${traceId}-[0-9a-f]{16}-01@127`));
      const call = await until('the call is there', () =>
        receiver.spans.find((span) => span.traceId === traceId && span.name === 'execute_tool bash'),
      );
      expect(call.attributes['gen_ai.tool.call.arguments']).toContain('$TRACEPARENT');
      expect(call.attributes['gen_ai.tool.call.result']).toContain(traceId);
      const root = await until('the request is there', () =>
        receiver.spans.find((span) => span.parentSpanId === spanId),
      );
      expect(root).toMatchObject({ traceId, service: 'gateway', kind: 'server' });
      // What the caller does not keep, nobody keeps.
      const other = '5bf92f3577b34da6a3ce929d0e0e4736';
      await ask('hello', { traceparent: `00-${other}-${spanId}-00` });
      expect(await ask('hello', { traceparent: `ff-${traceId}-${spanId}-01` })).not.toBe('');
      await fetch(`${roost.url}/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', traceparent: `00-${other}-${spanId}-01` },
        body: JSON.stringify({ email: 'nobody@example.test', password: 'a password' }),
      });
      const login = await until('the stranger’s request is there', () =>
        receiver.spans.find(({ name }) => name === 'POST /auth/login'),
      );
      expect(login.parentSpanId).toBeUndefined();
      expect(receiver.spans.some((span) => span.traceId === other)).toBe(false);

      const plan = { name: 'now', cron_expression: '0 9 * * *', timezone: 'UTC', message_template: 'hello' };
      const schedule = await roost.api<{ uuid: string }>('POST', `/v1/agent/${agentId}/schedules`, plan);
      await roost.api('POST', `/v1/agent/${agentId}/schedules/${schedule.body.uuid}/run`);
      const execution = await until('the execution is there', () =>
        receiver.spans.find(({ name }) => name === 'schedule execution'),
      );
      await until('its turn belongs to it', () =>
        receiver.traceOf((span) => span === execution).some(({ name }) => name === 'invoke_agent'),
      );
    } finally {
      await roost.stop();
    }
    expect(receiver.refused).toEqual([]);
  });

  it('begins with what a person writes in a chat, and ends with what they are shown', async () => {
    const telegram = await TelegramPlatform.start();
    const roost = await startRoost({
      env: otel(receiver, 'http/json', { TELEGRAM_API_BASE_URL: telegram.url, TELEGRAM_UPDATES: 'polling' }),
    });
    try {
      const token = '7100:token-of-a-bot-as-botfather-gives-it';
      telegram.addBot(token);
      const body = { name: 'Robin', telegram_bot_token: token, configuration: { model: 'demo' } };
      const { id } = (await roost.api<{ id: string }>('POST', '/v1/agent/create', body)).body;
      await until('the bot is connected', async () => {
        const { body: list } = await roost.api<{ channels: { type: string; health: string }[] }>(
          'GET',
          `/v1/agent/${id}/channels`,
        );
        return list.channels.some(({ type, health }) => type === 'telegram' && health === 'connected');
      });
      const { code } = (await roost.api<{ code: string }>('POST', `/v1/agent/${id}/telegram/link`)).body;
      await telegram.say(token, 7, `/link ${code}`);
      await until('the person is linked', () => telegram.textsIn(7).some((text) => text.includes('You are talking')));
      await telegram.say(token, 7, 'hello there');
      const shown = await until('the reply is shown', () =>
        receiver.spans.find(({ name }) => name === 'send telegram'),
      );
      const trace = await until('the trace is whole', () => {
        const spans = receiver.traceOf((span) => span === shown);
        return spans.every((span) => span.parentSpanId === undefined || parentOf(spans, span)) && spans;
      });
      const roots = trace.filter(({ parentSpanId }) => parentSpanId === undefined);
      expect(roots.map(({ name, service }) => ({ name, service }))).toEqual([
        { name: 'receive telegram', service: 'channels' },
      ]);
      expect(trace.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['handle telegram', 'messaging.message.send', 'invoke_agent', 'chat demo']),
      );
    } finally {
      await roost.stop();
      await telegram.stop();
    }
  });

  it('is refused at the start where a variable is wrong, with the variable and what is accepted', async () => {
    const start = startRoost({ services: ['messaging'], env: { OTEL_TRACES_SAMPLER: 'sometimes' } });
    await expect(start).rejects.toThrow(/^  OTEL_TRACES_SAMPLER: .*parentbased_traceidratio/m);
  });

  it('goes through services that are a process each, over protobuf', async () => {
    const roost = await spawnRoost({
      dataDir: temporaryFolder(),
      args: ['--processes'],
      env: otel(receiver, 'http/protobuf', { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }),
    });
    try {
      expectOneTrace((await traceOfOneMessage(roost.api, receiver, hook)).trace);
    } finally {
      await roost.stop();
    }
    expect(receiver.refused).toEqual([]);
    expect(receiver.requests.map(({ contentType }) => contentType)).toContain('application/x-protobuf');
  });
});
