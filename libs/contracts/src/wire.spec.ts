import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { snakeCase, Timestamp, wire } from './wire.js';

const Inner = wire({ maxSizeMb: z.number(), customEnv: z.record(z.string(), z.string()) });
const Outer = wire({
  agentId: z.string(),
  innerThing: Inner.optional(),
  at: Timestamp,
  withDefault: z.number().default(3),
});

describe('wire', () => {
  it('is snake_case outside and camelCase inside, and leaves the keys of records alone', () => {
    const onWire = {
      agent_id: 'a',
      inner_thing: { max_size_mb: 1, custom_env: { someKey: 'x', other_key: 'y' } },
      at: '2026-11-24T10:30:00.000Z',
    };
    const inCode = Outer.parse(onWire);
    expect(inCode).toEqual({
      agentId: 'a',
      innerThing: { maxSizeMb: 1, customEnv: { someKey: 'x', other_key: 'y' } },
      at: new Date('2026-11-24T10:30:00.000Z'),
      withDefault: 3,
    });
    expect(z.encode(Outer, inCode)).toEqual({ ...onWire, with_default: 3 });
  });

  it('names unknown fields', () => {
    const result = Outer.safeParse({ agent_id: 'a', at: '2026-11-24T10:30:00.000Z', agentId: 'b' });
    expect(result.error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: ['agentId'] }]);
  });

  it('drops what the contract does not name when encoding, so that a row leaks no column', () => {
    const row = { agentId: 'a', at: new Date(0), withDefault: 1, secret: 'hunter2' };
    expect(z.encode(Outer, row)).toEqual({ agent_id: 'a', at: '1970-01-01T00:00:00.000Z', with_default: 1 });
  });

  it('gives a JSON schema of the wire form', () => {
    const schema = z.toJSONSchema(Outer, { io: 'input', unrepresentable: 'any' });
    expect(Object.keys(schema.properties ?? {})).toEqual(['agent_id', 'inner_thing', 'at', 'with_default']);
    expect(schema.required).toEqual(['agent_id', 'at']);
  });

  it('renames reversibly', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]+([A-Z][a-z]+)*$/), (name) => {
        const back = snakeCase(name).replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
        expect(back).toBe(name);
      }),
    );
  });
});
