import { z } from 'zod';
import { hasShape } from './code-form.js';

/** `outputTokenBalance` → `output_token_balance`, as a type. */
export type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Tail extends Uncapitalize<Tail>
    ? `${Lowercase<Head>}${SnakeCase<Tail>}`
    : `${Lowercase<Head>}_${SnakeCase<Tail>}`
  : S;

/** `outputTokenBalance` → `output_token_balance`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

type SnakeShape<S extends z.ZodRawShape> = { [K in keyof S & string as SnakeCase<K>]: S[K] };
type WireObject<S extends z.ZodRawShape> = z.ZodObject<SnakeShape<S>, z.core.$strict>;
type CodeObject<S extends z.ZodRawShape> = z.output<z.ZodObject<S, z.core.$strict>>;
/** The codec `wire()` gives: snake_case on the wire, camelCase in code. */
export type Wire<S extends z.ZodRawShape> = z.ZodCodec<WireObject<S>, z.ZodCustom<CodeObject<S>, CodeObject<S>>>;

/**
 * An object that is snake_case on every wire (HTTP and NATS) and camelCase in code.
 *
 * `decode` (what `parse` does) takes the wire's form, refuses unknown fields by name and gives the
 * code's form; `encode` goes back, as `z.encode` would. Keys of records inside (metadata, env) are left as they are:
 * only the names written in `shape` are renamed. Because it must work both ways, a shape may hold
 * codecs, defaults and refinements, but no one-way `.transform()`.
 */
export function wire<S extends z.ZodRawShape>(shape: S): Wire<S> {
  const toWire = new Map(Object.keys(shape).map((key) => [key, snakeCase(key)]));
  const toCode = new Map([...toWire].map(([code, onWire]) => [onWire, code]));
  const onWire = z.strictObject(
    Object.fromEntries(Object.entries(shape).map(([key, schema]) => [snakeCase(key), schema])) as SnakeShape<S>,
  );
  const inCode = z.custom<object>();
  hasShape(inCode, shape);
  const codec = z.codec(onWire, inCode, {
    decode: (value) => rename(value, toCode),
    encode: (value) => rename(value, toWire) as never,
  });
  // The names are computed, so the compiler cannot follow them; SnakeShape is the same in types.
  return codec as unknown as Wire<S>;
}

function rename(value: object, names: Map<string, string>): Record<string, unknown> {
  const renamed: Record<string, unknown> = {};
  for (const [from, to] of names) {
    // Only what is known is carried over: a row with more columns than the contract leaks none of them.
    const field = (value as Record<string, unknown>)[from];
    if (field !== undefined) renamed[to] = field;
  }
  return renamed;
}

/** A point in time: `Date` in code, RFC 3339 UTC with milliseconds on the wire. */
export const Timestamp = z
  .codec(z.iso.datetime({ offset: true }), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString(),
  })
  .meta({
    id: 'Timestamp',
    description: 'A point in time: RFC 3339, in responses UTC with milliseconds',
    examples: ['2026-11-24T10:30:00.000Z'],
  });

/** A non-negative count that Postgres may hand over as bigint text: a number in code and on the wire. */
export const Count = z.number().int().min(0);

/** Bytes that travel as they are, beside the other fields. At most one field of a request or an answer holds some. */
export const Bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'must be bytes');

/** The form of the ids that Roost makes, in lower case; to be put between anchors. */
export const UUID_PATTERN = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

export const AgentId = z.uuid().meta({ description: 'The agent’s id, a UUID.' });
export const AccountId = z.uuid().meta({ description: 'The account’s id, a UUID.' });
export const MessageId = z
  .string()
  .regex(new RegExp(`^msg_${UUID_PATTERN}$`), 'must be a message id like msg_0192…')
  .meta({
    description: 'The message’s id: `msg_` and a UUID',
    examples: ['msg_01935a7e-3c1b-7f00-8a4e-5b6c7d8e9f00'],
  });

/** What an answer without anything else to say holds. */
export const Done = z.string().describe('What was done, in words.');

/** JSON as users may send it: what survives JSON.stringify. */
export const JsonObject = z.record(z.string(), z.json());

/** Pages by number (spec: 00-overview). Query strings arrive as text, hence the coercion. */
export const pageQuery = {
  page: z.coerce.number<number | string>().int().min(1).max(1_000_000).default(1).describe('Which page, from 1.'),
  limit: z.coerce.number<number | string>().int().min(1).max(100).default(20).describe('Entries per page.'),
};
export const Pagination = wire({
  page: Count.describe('The page that this is, from 1.'),
  limit: Count.describe('Entries per page.'),
  total: Count.describe('Entries on all pages together.'),
  totalPages: Count.describe('How many pages there are.'),
}).meta({ id: 'Pagination', description: 'Where this page is in the whole list.' });
export type Pagination = z.output<typeof Pagination>;

export function paginationOf(page: number, limit: number, total: number): Pagination {
  return { page, limit, total, totalPages: Math.ceil(total / limit) };
}
