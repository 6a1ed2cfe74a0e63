import { z } from 'zod';

type Json = Record<string, unknown>;

/** JSON Schemas of the wire's form; what they share under a name moves to the document's components. */
export class SchemaComponents {
  readonly shared: Record<string, Json> = {};

  /** `owner` keeps apart the parts that have no name of their own. */
  of(schema: z.ZodType, owner: string): Json {
    const {
      $schema: _,
      $defs: parts = {},
      ...own
    } = z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      cycles: 'ref',
      reused: 'inline',
    }) as Json & { $defs?: Record<string, Json> };
    const nameOf = (part: string) => (part.startsWith('__') ? `${owner}${part}` : part);
    for (const [part, definition] of Object.entries(parts))
      this.shared[nameOf(part)] = pointed(definition, nameOf) as Json;
    return pointed(own, nameOf) as Json;
  }
}

/** A copy whose references lead to the document's components. */
function pointed(value: unknown, nameOf: (part: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => pointed(item, nameOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      // zod names a part twice: by its position and by its own id, which is no keyword of JSON Schema 2020-12.
      if (key === 'id' && typeof inner === 'string') return [];
      return key === '$ref' && typeof inner === 'string'
        ? [[key, inner.replace(/^#\/\$defs\/(.+)$/, (_, part: string) => `#/components/schemas/${nameOf(part)}`)]]
        : [[key, pointed(inner, nameOf)]];
    }),
  );
}
