import type { WireName } from '#lib/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wireRequest } from '../../../test/wire-request.js';
import { uniqueToolNames } from '../tool-name.js';
import { cleanSchema } from './clean-schema.js';

const WIRES: WireName[] = ['anthropic', 'openai-chat', 'openai-responses', 'google'];
const hello = [{ role: 'user' as const, content: 'hello' }];

const deep = (levels: number): object =>
  levels === 0 ? { type: 'string' } : { type: 'object', properties: { next: deep(levels - 1) } };
const tree = {
  type: 'object',
  properties: { children: { type: 'array', items: { $ref: '#/$defs/node' } } },
  $defs: { node: { type: 'object', properties: { left: { $ref: '#/$defs/node' }, right: { $ref: '#/$defs/node' } } } },
};
const bomb = {
  type: 'object',
  properties: { a: { $ref: '#/$defs/l0' } },
  $defs: Object.fromEntries(
    Array.from({ length: 30 }, (_, level) => [
      `l${level}`,
      {
        type: 'object',
        properties: Object.fromEntries(
          Array.from({ length: 10 }, (__, index) => [`p${index}`, { $ref: `#/$defs/l${level + 1}` }]),
        ),
      },
    ]),
  ),
};

const ODD: [string, unknown][] = [
  ['nothing', undefined],
  ['no type', { properties: { a: { type: 'string' } } }],
  [
    'anyOf at its top',
    {
      type: 'object',
      anyOf: [
        { properties: { a: { type: 'string' } }, required: ['a'] },
        { properties: { b: { type: 'number' } }, required: ['b'] },
      ],
    },
  ],
  [
    'oneOf without a type',
    {
      oneOf: [
        { type: 'object', properties: { a: { const: 1 } } },
        { type: 'object', properties: { a: { const: 'x' } } },
      ],
    },
  ],
  [
    'allOf with references',
    {
      allOf: [{ $ref: '#/definitions/a' }, { properties: { b: {} }, required: ['b'] }],
      definitions: { a: { type: 'object', properties: { a: { type: 'string' } } } },
    },
  ],
  [
    '$filter as a property',
    {
      type: 'object',
      properties: { $filter: { type: 'string' }, 'größe in cm': { type: 'number' }, _filter: { type: 'string' } },
      required: ['$filter'],
    },
  ],
  [
    'a reference to nowhere',
    { type: 'object', properties: { a: { $ref: '#/nowhere' }, b: { $ref: 'https://example.com/x.json' } } },
  ],
  ['a schema of itself', { type: 'object', properties: { me: { $ref: '#' } } }],
  ['a tree', tree],
  ['references that multiply', bomb],
  ['many levels', deep(60)],
  [
    'an older draft',
    {
      $schema: 'http://json-schema.org/draft-04/schema#',
      id: 'x',
      type: 'object',
      properties: {
        n: { type: 'number', minimum: 0, exclusiveMinimum: true, required: true },
        pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] },
      },
    },
  ],
  [
    'wrong words',
    {
      type: 'object',
      properties: {
        a: { type: 'any' },
        b: 'string',
        c: { type: 'file', enum: 'x' },
        d: true,
        e: false,
        f: { type: ['string', 'null'] },
      },
      required: 'a',
    },
  ],
  [
    'lists of nothing',
    {
      type: 'object',
      properties: { a: { type: 'array' }, b: { type: ['array', 'string'] }, c: { type: 'array', items: {} } },
    },
  ],
  [
    'values of several kinds',
    {
      type: 'object',
      properties: { a: { enum: [1, 'two', null] }, b: { type: 'integer', enum: [1, 2] }, c: { enum: ['', 'x'] } },
    },
  ],
  [
    'formats and patterns',
    {
      type: 'object',
      properties: {
        a: { type: 'string', format: 'uuid' },
        b: { type: 'string', pattern: '(' },
        c: { type: 'string', pattern: '^a+$' },
      },
    },
  ],
  ['required ones that are not there', { type: 'object', required: ['ghost'] }],
  ['a property __proto__', JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}')],
];

describe('the schema of a tool', () => {
  it.each(ODD)('with %s is taken by every provider', async (_, raw) => {
    const cleaned = cleanSchema(raw);
    if ('problem' in cleaned) throw new Error(cleaned.problem);
    for (const wire of WIRES) await wireRequest(wire, hello, [{ name: 'odd', schema: cleaned.schema }]);
  });

  it('is taken by every provider whatever it is, or left out', async () => {
    const word = fc.constantFrom(
      'type',
      'properties',
      'items',
      'anyOf',
      'oneOf',
      'allOf',
      '$ref',
      'enum',
      'required',
      'const',
      'additionalProperties',
      '$defs',
      'prefixItems',
      'not',
      'a b',
    );
    const value = fc.constantFrom<unknown>(
      'object',
      'string',
      'array',
      'any',
      ['string', 'null'],
      ['object', 'array'],
      '#',
      '#/$defs/a',
      '#/properties/a b',
      null,
      true,
      1,
      [],
      ['x', 'x'],
      [1, 'x'],
    );
    const { schema } = fc.letrec((tie) => ({
      schema: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.dictionary(word, value, { maxKeys: 3 }),
        fc.dictionary(word, fc.oneof(value, tie('schema'), fc.array(tie('schema'), { maxLength: 3 })), { maxKeys: 5 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(schema, fc.constantFrom(...WIRES), async (raw, wire) => {
        const cleaned = cleanSchema(raw);
        if (!('problem' in cleaned)) await wireRequest(wire, hello, [{ name: 'odd', schema: cleaned.schema }]);
      }),
      { numRuns: 400 },
    );
  });

  it('that no provider would take is left out with the reason', () => {
    expect(cleanSchema({ type: 'string' })).toEqual({ problem: 'its input is no object' });
    expect(cleanSchema([1])).toEqual({ problem: 'its input schema is no object' });
    expect(cleanSchema({ type: 'object', description: 'x'.repeat(200_000) })).toMatchObject({
      problem: expect.stringContaining('longer than') as string,
    });
  });

  it('is left as it is where every provider takes it', () => {
    const schema = {
      type: 'object',
      properties: {
        path: { type: 'string', description: 'where', minLength: 1 },
        all: { type: 'boolean', default: false },
      },
      required: ['path'],
      additionalProperties: false,
    };
    expect(cleanSchema(schema)).toMatchObject({ schema });
  });

  it('gives the tool its arguments by their own names', () => {
    const cleaned = cleanSchema(ODD.find(([name]) => name.startsWith('$filter'))?.[1]);
    if ('problem' in cleaned) throw new Error(cleaned.problem);
    const [filter = '', size = '', own = ''] = Object.keys(cleaned.schema['properties'] as object);
    expect(own).toBe('_filter');
    expect(cleaned.restore({ [filter]: 'x', [size]: 3, _filter: 'own' })).toEqual({
      $filter: 'x',
      'größe in cm': 3,
      _filter: 'own',
    });
  });
});

describe('names of properties that are alike when they are cleaned', () => {
  const name = fc.stringMatching(/^[ab$#_]{1,3}$/);

  it('are restored to their own, and stay what they are when an allowed call restores them once more', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 8 }), fc.array(name), (own, free) => {
        const cleaned = cleanSchema({
          type: 'object',
          properties: Object.fromEntries(own.map((one) => [one, { type: 'string' }])),
          additionalProperties: true,
        });
        if ('problem' in cleaned) throw new Error(cleaned.problem);
        const given = Object.keys(cleaned.schema['properties'] as object);
        expect(new Set(given).size).toBe(own.length);
        const args = Object.fromEntries(given.map((one, index) => [one, own[index]]));
        const restored = cleaned.restore(args);
        expect(restored).toEqual(Object.fromEntries(own.map((one) => [one, one])));
        const any = cleaned.restore({ ...args, ...Object.fromEntries(free.map((one) => [one, '?'])) });
        expect(cleaned.restore(any)).toEqual(any);
      }),
    );
  });
});

describe('the names of several tools', () => {
  it('are such as every provider takes, each its own, the same every time', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.oneof(fc.string({ maxLength: 90 }), fc.constantFrom('a.b', 'a_b', 'a b', 'поиск', 'выбор', '7x')),
          { maxLength: 12 },
        ),
        (names) => {
          const given = uniqueToolNames(names);
          expect(new Set(given.values()).size).toBe(names.length);
          for (const name of given.values()) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);
          expect([...uniqueToolNames(names.toReversed())].toSorted()).toEqual([...given].toSorted());
        },
      ),
    );
  });
});
