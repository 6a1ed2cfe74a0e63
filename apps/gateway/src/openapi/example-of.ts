type Json = Record<string, unknown>;

const BY_FORMAT: Record<string, string> = {
  uuid: '01935a7e-3c1b-7f00-8a4e-5b6c7d8e9f00',
  'date-time': '2026-11-24T10:30:00.000Z',
  uri: 'https://example.org/hook',
  email: 'ada@example.org',
};
const MAX_DEPTH = 8;

/**
 * A value that fits a JSON Schema made from our own schemas: what the schema names as an example, else its default, else
 * the plainest one. Optional fields are left out of requests (`isFull` false), so that a reader sees what is needed.
 * Not promised for rules that JSON Schema cannot express: such a field needs `examples` in its schema.
 */
export function exampleOf(schema: Json, shared: Record<string, Json>, isFull: boolean, depth = 0): unknown {
  const inner = (of: unknown) => exampleOf(of as Json, shared, isFull, depth + 1);
  const reference = schema['$ref'];
  if (typeof reference === 'string') return inner(shared[reference.split('/').at(-1) ?? ''] ?? {});
  const given = (schema['examples'] as unknown[] | undefined)?.[0];
  if (given !== undefined) return given;
  if (schema['default'] !== undefined) return schema['default'];
  if (schema['const'] !== undefined) return schema['const'];
  const members = schema['enum'] as unknown[] | undefined;
  if (members) return members[0];
  const choices = (schema['anyOf'] ?? schema['oneOf']) as Json[] | undefined;
  if (choices?.[0]) return inner(choices[0]);
  const parts = schema['allOf'] as Json[] | undefined;
  if (parts) return Object.assign({}, ...parts.map(inner));
  if (schema['type'] === 'object') return objectOf(schema, isFull && depth < MAX_DEPTH, inner);
  if (schema['type'] === 'array') return Number(schema['minItems'] ?? 0) > 0 || isFull ? [inner(schema['items'])] : [];
  return scalarOf(schema);
}

function objectOf(schema: Json, isFull: boolean, inner: (schema: unknown) => unknown): Json {
  const required = (schema['required'] ?? []) as string[];
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Json>);
  const shown = properties.filter(([name]) => isFull || required.includes(name));
  return Object.fromEntries(shown.map(([name, property]) => [name, inner(property)]));
}

function scalarOf(schema: Json): unknown {
  switch (schema['type']) {
    case 'string':
      return BY_FORMAT[String(schema['format'])] ?? 'text'.padEnd(Number(schema['minLength'] ?? 0), 't');
    case 'integer':
    case 'number':
      return Math.max(1, Number(schema['minimum'] ?? 1));
    case 'boolean':
      return true;
    default:
      return null;
  }
}
