import { isSchema, type Schema } from './schema.js';

const FORMATS: Record<string, string[]> = {
  string: ['enum', 'date-time'],
  number: ['float', 'double'],
  integer: ['int32', 'int64'],
};

/** The service wants to know of every value what it is. */
const ANYTHING = { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }, { type: 'object' }] };

/** A schema in the part of OpenAPI 3.0 that Google takes; what that cannot say goes into the description, or is left open. */
export function googleSchema(schema: Schema): Schema {
  const alternatives = [schema['anyOf'], schema['oneOf']].flatMap((list) => (Array.isArray(list) ? list : []));
  const types = [schema['type']].flat().filter((type) => typeof type === 'string');
  // One that has alternatives must have nothing else.
  if (alternatives.length > 0) return { anyOf: alternatives.map((one) => googleSchema(isSchema(one) ? one : {})) };
  if (types.length === 0 && !schema['enum']) return described(ANYTHING, schema['description']);
  if (types.filter((type) => type !== 'null').length > 1)
    return { anyOf: types.map((type) => googleSchema({ ...schema, type })) };
  const type = types.find((one) => one !== 'null') ?? types[0] ?? 'string';
  const { enum: values, hint } = valuesOf(schema, type);
  const description = [schema['description'], hint].filter(Boolean).join(' ');
  return {
    type: types.length > 1 ? types : type,
    ...(description ? { description } : {}),
    ...(values ? { enum: values } : {}),
    ...(FORMATS[type]?.includes(String(schema['format'])) ? { format: schema['format'] } : {}),
    ...(type === 'array' ? { items: googleSchema(isSchema(schema['items']) ? schema['items'] : {}) } : {}),
    ...(type === 'object' ? objectOf(schema) : {}),
  };
}

function objectOf({ properties, required }: Schema): Schema {
  if (!isSchema(properties)) return {};
  const known = Object.entries(properties).map(([name, part]) => [name, googleSchema(isSchema(part) ? part : {})]);
  const names = (Array.isArray(required) ? required : []).filter((name) => Object.hasOwn(properties, String(name)));
  return { properties: Object.fromEntries(known) as Schema, ...(names.length > 0 ? { required: names } : {}) };
}

/** Only texts may be listed. */
function valuesOf(schema: Schema, type: string): { enum?: unknown[]; hint?: string } {
  const values = Array.isArray(schema['enum']) ? schema['enum'].filter((value) => value !== null) : [];
  if (values.length === 0) return {};
  if (type === 'string' && values.every((value) => typeof value === 'string' && value !== '')) return { enum: values };
  return {
    hint: `One of: ${values
      .map((value) => JSON.stringify(value))
      .join(', ')
      .slice(0, 500)}`,
  };
}

const described = (schema: Schema, description: unknown): Schema =>
  typeof description === 'string' && description
    ? { anyOf: (schema['anyOf'] as Schema[]).map((one, index) => (index === 0 ? { ...one, description } : one)) }
    : schema;
