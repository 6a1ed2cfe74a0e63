import { isSchema, type Schema } from './schema.js';

/** A schema and all those that hold beside it, as one. */
export function mergedAll(schema: Schema, others: Schema[]): Schema {
  return others.reduce((merged, other) => {
    const properties = { ...propertiesOf(other), ...propertiesOf(merged) };
    const required = [...new Set([...requiredOf(merged), ...requiredOf(other)])];
    const anyOf = merged['anyOf'] ?? other['anyOf'];
    return {
      ...other,
      ...merged,
      ...(Object.keys(properties).length > 0 ? { properties, required } : {}),
      ...(anyOf ? { anyOf } : {}),
    };
  }, schema);
}

/**
 * The top of a tool's schema as one object: providers refuse alternatives there. Each alternative's properties may be
 * given, those of all of them must be; the description says which go together.
 */
export function asOneObject({ anyOf, enum: _, ...schema }: Schema): Schema {
  const alternatives = (Array.isArray(anyOf) ? anyOf : []).filter(isSchema).filter(mayBeObject).map(asOneObject);
  const type = schema['type'];
  const isObject = type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
  if (!isObject || (Array.isArray(anyOf) && alternatives.length === 0)) return { type: String(type) };
  if (alternatives.length === 0)
    return { ...schema, type: 'object', properties: propertiesOf(schema), ...required(schema) };
  const properties: Schema = { ...propertiesOf(schema) };
  for (const one of alternatives)
    for (const [name, part] of Object.entries(propertiesOf(one))) {
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const isOther = isSchema(known) && JSON.stringify(known) !== JSON.stringify(part);
      properties[name] = isOther
        ? { anyOf: [...(Array.isArray(known['anyOf']) ? known['anyOf'] : [known]), part] }
        : part;
    }
  const shared = requiredOf(alternatives[0] ?? {}).filter((name) =>
    alternatives.every((one) => requiredOf(one).includes(name)),
  );
  const groups = alternatives.map((one) => Object.keys(propertiesOf(one)).join(', ') || 'nothing').slice(0, 10);
  const description = [schema['description'], `Give the arguments of one of these groups: ${groups.join(' | ')}`];
  return {
    ...schema,
    type: 'object',
    description: description.filter(Boolean).join('\n').slice(0, 1_000),
    properties,
    required: [...new Set([...requiredOf(schema), ...shared])],
  };
}

const propertiesOf = ({ properties }: Schema): Schema => (isSchema(properties) ? properties : {});

const requiredOf = ({ required }: Schema): string[] => (Array.isArray(required) ? (required as string[]) : []);

const required = (schema: Schema) => (requiredOf(schema).length > 0 ? { required: requiredOf(schema) } : {});

const mayBeObject = ({ type }: Schema) => type === undefined || [type].flat().includes('object');
