import { z } from 'zod';

type Json = Record<string, unknown>;

/**
 * JSON Schemas of the wire's form, all made in one pass: a schema that several share is looked at once, which is most of
 * the time that the document takes. What has an id of its own is a component of the document, and a reference elsewhere.
 */
export class SchemaComponents {
  readonly shared: Record<string, Json>;
  private readonly made: Map<z.ZodType, Json>;

  constructor(schemas: Iterable<z.ZodType>) {
    const all = [...new Set(schemas)];
    const { $defs: parts = {}, prefixItems = [] } = z.toJSONSchema(z.tuple(all as [z.ZodType]), {
      io: 'input',
      unrepresentable: 'any',
      cycles: 'ref',
      reused: 'inline',
    }) as { $defs?: Record<string, Json>; prefixItems?: Json[] };
    this.shared = Object.fromEntries(
      Object.entries(parts).map(([part, definition]) => [nameOf(part), pointed(definition) as Json]),
    );
    this.made = new Map(all.map((schema, index) => [schema, pointed(prefixItems[index]) as Json]));
  }

  /** Errors: for a schema that was not given at the beginning. */
  of(schema: z.ZodType): Json {
    const made = this.made.get(schema);
    if (!made) throw new Error('this schema is not among those of the document');
    return made;
  }
}

/** zod calls parts without an id, which refer to themselves, `__schema0` and so on: here they are those of `z.json()`. */
const nameOf = (part: string) => part.replace(/^__schema(\d+)/, (_, n: string) => `JsonValue${n === '0' ? '' : n}`);

/** A copy whose references lead to the document's components. */
function pointed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      // zod names a part twice: by its position and by its own id, which is no keyword of JSON Schema 2020-12.
      if (key === 'id' && typeof inner === 'string') return [];
      return key === '$ref' && typeof inner === 'string'
        ? [[key, inner.replace(/^#\/\$defs\/(.+)$/, (_, part: string) => `#/components/schemas/${nameOf(part)}`)]]
        : [[key, pointed(inner)]];
    }),
  );
}
