import { createAgent, RoostError } from '#lib/contracts';
import { serve } from '#lib/rpc';
import { connectAs, startRoost, type TestRoost } from '#lib/testing';
import type { NatsConnection } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  items?: Schema;
}
interface Operation {
  requestBody?: { content: Record<string, { schema?: Schema }> };
  parameters: { name: string; in: string; schema: Schema }[];
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const CALLS = Number(process.env['FUZZ_CALLS'] ?? 1_000);

describe('whatever is sent', () => {
  let roost: TestRoost;
  let nats: NatsConnection;

  beforeAll(async () => {
    roost = await startRoost({
      services: ['gateway'],
      env: { ROOST_RATE_LIMIT_PER_MINUTE: '1000000', ROOST_ADDRESS_LIMIT_PER_MINUTE: '1000000' },
    });
    nats = await connectAs(roost.natsCreds, roost.natsUrl);
    for (const prefix of ['lifecycle', 'messaging', 'runtime', 'scheduler', 'webhooks', 'channels'])
      serve(
        nats,
        createAgent,
        `${prefix}.>`,
        () => {
          throw new RoostError('NOT_FOUND', 'there is no such thing');
        },
        () => undefined,
      );
    await nats.flush();
  });
  afterAll(async () => {
    await nats?.close();
    await roost?.stop();
  });

  it(`gives no 5xx in ${CALLS} calls made from the schemas`, async () => {
    const document = (await roost.api<Document>('GET', '/openapi.json')).body;
    const operations = Object.entries(document.paths)
      .filter(([path]) => !path.startsWith('/health'))
      .flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
      );
    const calls = fc.constantFrom(...operations).chain(({ path, method, operation }) => {
      const schema = operation.requestBody?.content['application/json']?.schema;
      const query = operation.parameters.filter((parameter) => parameter.in === 'query');
      return fc.record({
        method: fc.constant(method.toUpperCase()),
        path: fc.constant(path),
        id: fc.oneof(fc.constant('01890000-0000-7000-8000-000000000000'), fc.string({ maxLength: 40 })),
        query: fc.record(Object.fromEntries(query.map(({ name, schema: of }) => [name, valueOf(of, document, 0)])), {
          requiredKeys: [],
        }),
        body: schema
          ? fc.oneof({ weight: 4, arbitrary: valueOf(schema, document, 0) }, fc.jsonValue())
          : fc.jsonValue(),
      });
    });
    await fc.assert(
      fc.asyncProperty(calls, async ({ method, path, id, query, body }) => {
        const search = new URLSearchParams(
          Object.entries(query).map(([name, value]): [string, string] => [
            name,
            typeof value === 'string' ? value : JSON.stringify(value),
          ]),
        ).toString();
        const url = `${path.replace(/\{\w+\}/g, () => encodeURIComponent(id))}?${search}`;
        const text = method === 'GET' ? undefined : JSON.stringify(body);
        const response = await roost.api(
          method,
          url,
          text,
          text === undefined ? {} : { 'content-type': 'application/json' },
        );
        expect(response.status, `${method} ${url} ${text}`).toBeLessThan(500);
      }),
      { numRuns: CALLS },
    );
  });
});

/** Mostly what the schema asks for, sometimes beside it. */
function valueOf(schema: Schema, document: Document, depth: number): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 9, arbitrary: fitting(schema, document, depth) }, { weight: 1, arbitrary: fc.jsonValue() });
}

function fitting(schema: Schema, document: Document, depth: number): fc.Arbitrary<unknown> {
  if (depth > 5) return fc.constant(null);
  if (schema.$ref) {
    const named = document.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
    return named ? fitting(named, document, depth + 1) : fc.jsonValue();
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => fitting(choice, document, depth + 1)));
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(([name, field]) => [
      name,
      valueOf(field, document, depth + 1),
    ]);
    return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] });
  }
  if (schema.type === 'array') return fc.array(valueOf(schema.items ?? {}, document, depth + 1), { maxLength: 3 });
  if (schema.type === 'string') return fc.string({ unit: 'grapheme', maxLength: 120 });
  if (schema.type === 'integer') return fc.integer();
  if (schema.type === 'number') return fc.double({ noNaN: true });
  if (schema.type === 'boolean') return fc.boolean();
  return fc.jsonValue();
}
