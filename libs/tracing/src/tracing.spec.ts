import { currentTraceparent, inTrace, traceIdsOf } from '#lib/call-context';
import { ConfigurationError, type Environment, loadConfig, traceEnvironment } from '#lib/config';
import { OtlpReceiver, processorMs, until } from '#lib/testing';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTracing, type Tracing } from './start-tracing.js';

const settingsOf = (env: Environment) => loadConfig(z.object(traceEnvironment), env);
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('traces', () => {
  let receiver: OtlpReceiver;
  let lines: { fields: object; message: string }[];
  const open: Tracing[] = [];
  const log = {
    info: () => undefined,
    warn: (fields: object, message: string) => void lines.push({ fields, message }),
  };
  const start = async (env: Environment = {}, service = 'here') => {
    const all = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '20', ...env };
    const tracing = await startTracing(settingsOf(all), service, log);
    open.push(tracing);
    return tracing.tracer;
  };
  beforeEach(async () => {
    receiver = await OtlpReceiver.start();
    lines = [];
  });
  afterEach(async () => {
    for (const tracing of open.splice(0)) await tracing.stop();
    receiver.stop();
  });

  it('load nothing of OpenTelemetry while no variable asks for them', () => {
    const root = fileURLToPath(import.meta.url.replace(/libs\/tracing\/src\/.*$/, ''));
    const program = `
      import { createRequire } from 'node:module';
      const { startTracing } = await import('#lib/tracing');
      const { loadConfig, traceEnvironment } = await import('#lib/config');
      const { z } = await import('zod');
      await startTracing(loadConfig(z.object(traceEnvironment), process.env), 'x', console);
      const { cache } = createRequire(process.cwd() + '/');
      console.log(Object.keys(cache).filter((path) => path.includes('@opentelemetry')).length);`;
    const loaded = (env: Environment) =>
      Number(
        execFileSync(process.execPath, ['--input-type=module', '-e', program], {
          cwd: root,
          env: { PATH: process.env.PATH, ...env },
          encoding: 'utf8',
        })
          .trim()
          .split('\n')
          .at(-1),
      );
    expect(loaded({})).toBe(0);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_SDK_DISABLED: 'true' })).toBe(0);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_TRACES_EXPORTER: 'none' })).toBe(0);
    expect(loaded({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })).toBeGreaterThan(0);
  });

  it('nest, and carry on what a caller began', async () => {
    const tracer = await start();
    await inTrace(CALLER, () =>
      tracer.span('outer', { kind: 'server' }, async (outer) => {
        expect(currentTraceparent()).toBe(outer?.traceparent);
        await tracer.span('inner', { attributes: { n: 1, no: undefined } }, () => Promise.resolve());
      }),
    );
    const spans = await until('both arrived', () => receiver.spans.length === 2 && receiver.spans);
    const [inner, outer] = [spans.find(({ name }) => name === 'inner'), spans.find(({ name }) => name === 'outer')];
    expect(outer).toMatchObject({
      service: 'here',
      ...traceIdsOf(CALLER),
      spanId: outer?.spanId,
      parentSpanId: 'b7ad6b7169203331',
    });
    expect(inner).toMatchObject({ traceId: outer?.traceId, parentSpanId: outer?.spanId, attributes: { n: 1 } });
  });

  it.each([
    ['of another version', `01-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, true],
    ['of the version that is none', `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, false],
    ['of no trace', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, false],
    ['of no span', `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`, false],
    ['in capitals', `00-${'A'.repeat(32)}-${'b'.repeat(16)}-01`, false],
    ['that is none', 'nonsense', false],
  ])('read a traceparent %s as the W3C has it', (_, traceparent, isOne) => {
    expect(traceIdsOf(traceparent) !== undefined).toBe(isOne);
  });

  it('begin only where work says so, and name a failure by its kind, never by its text', async () => {
    const tracer = await start();
    await tracer.span('a poll', {}, (span) => expect(span).toBeUndefined());
    const broken = tracer.span('begun', { beginsTrace: true }, () => Promise.reject(new TypeError('the secret is x')));
    await expect(broken).rejects.toThrow('the secret is x');
    const [span] = await until('it arrived', () => receiver.spans.length > 0 && receiver.spans);
    expect(span).toMatchObject({ name: 'begun', hasFailed: true, attributes: { 'error.type': 'TypeError' } });
    expect(JSON.stringify(receiver.spans)).not.toContain('secret');
  });

  it.each([
    ['parentbased_traceidratio', '0', 0],
    ['traceidratio', '1', 200],
    ['parentbased_always_off', undefined, 0],
  ])('are kept as the sampler %s with %s says', async (OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG, kept) => {
    const tracer = await start({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG });
    for (let n = 0; n < 100; n++)
      await tracer.span('root', { beginsTrace: true }, async () => {
        // What is not kept goes on as such: the flag says so to the next service.
        expect(currentTraceparent()?.endsWith(kept > 0 ? '-01' : '-00')).toBe(true);
        await tracer.span('child', {}, () => undefined);
      });
    for (const { stop } of open.splice(0)) await stop();
    await until('all arrived', () => receiver.spans.length >= kept);
    expect(receiver.spans).toHaveLength(kept);
  });

  it('have each service by its name in one process, by one connection, unless one name is chosen for all', async () => {
    const [one, other] = [await start({}, 'one'), await start({}, 'other')];
    one.record('x', { beginsTrace: true });
    other.record('y', { beginsTrace: true, ofService: 'daemon' });
    await until('both arrived', () => receiver.spans.length === 2);
    expect(receiver.spans.map(({ service }) => service).sort()).toEqual(['daemon', 'one']);
    expect(receiver.requests).toHaveLength(1);
    const named = await start({ OTEL_SERVICE_NAME: 'ours' }, 'one');
    named.record('z', { beginsTrace: true });
    const span = await until('it arrived', () => receiver.spans.find(({ name }) => name === 'z'));
    expect(span).toMatchObject({ service: 'ours', resource: { 'roost.service': 'one' } });
  });

  it.each(['silent', 'refusing', 'away'])(
    'of a receiver that is %s are dropped beyond a bound, with one line',
    async (mood) => {
      if (mood === 'silent' || mood === 'refusing') receiver.mood = mood;
      else receiver.stop();
      const tracer = await start({ OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10' });
      const before = await droppedSpans();
      const tookMs = processorMs(() => {
        for (let n = 0; n < 5_000; n++) tracer.record('lost', { beginsTrace: true });
      });
      expect(tookMs).toBeLessThan(2_000);
      await until('a line says so', () => lines.length > 0);
      const stopping = performance.now();
      for (const { stop } of open.splice(0)) await stop();
      expect(performance.now() - stopping).toBeLessThan(8_000);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({
        message: 'spans could not be sent and are lost',
        fields: { dropped: expect.any(Number) },
      });
      // Those of the line, and those that were lost after it.
      expect((await droppedSpans()) - before).toBeGreaterThanOrEqual(4_800);
    },
  );

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', /http:\/\/ or https:\/\/ URL/],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'ftp://x', /http:\/\/ or https:\/\/ URL/],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', /http\/protobuf.*http\/json/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'Bearer abc', /name=value/],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz', /name=value/],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', 'soon', /number/],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'brotli', /none.*gzip/],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/no/such/file', /file that can be read/],
    ['OTEL_TRACES_EXPORTER', 'zipkin', /otlp.*none/],
    ['OTEL_TRACES_SAMPLER', 'sometimes', /parentbased_traceidratio/],
    ['OTEL_TRACES_SAMPLER_ARG', '1%', /from 0 to 1/],
    ['OTEL_TRACES_SAMPLER_ARG', '2', /from 0 to 1/],
    ['OTEL_RESOURCE_ATTRIBUTES', 'production', /name=value/],
    ['OTEL_PROPAGATORS', 'b3', /tracecontext/],
    ['OTEL_SDK_DISABLED', 'perhaps', /true.*false/],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '-1', />=1/],
  ])('are refused at the start for %s=%s, in a line that names it and what is accepted', (name, value, accepted) => {
    const complaint = complaintOf({ [name]: value });
    expect(complaint).toMatch(new RegExp(`^  ${name}: `, 'm'));
    expect(complaint.split('\n')).toHaveLength(2);
    expect(complaint).toMatch(accepted);
    if (name.endsWith('HEADERS')) expect(complaint).not.toContain(value);
  });
});

async function droppedSpans(): Promise<number> {
  const shown = await register.getSingleMetric('roost_spans_dropped_total')?.get();
  return shown?.values[0]?.value ?? 0;
}

function complaintOf(env: Environment): string {
  try {
    settingsOf(env);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
  return '';
}
