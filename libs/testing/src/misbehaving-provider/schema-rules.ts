import { Ajv2020 } from 'ajv/dist/2020.js';
import { isObject, type Json, type JsonObject, must, Refused } from './wire.js';

/** No service takes schemas of any depth; the strictest documented bound is OpenAI's for structured outputs. */
const MAX_DEPTH = 10;
/** OpenAI: all names and enum values of a schema together. */
const MAX_CHARS = 120_000;

const MAX_PASSED = 1_000;
const passed = new Set<string>();
const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false });

/** What all services ask of a tool's schema: JSON Schema 2020-12 with references that lead somewhere, not too deep, not huge. */
export function checkJsonSchema(schema: Json | undefined, where: string): asserts schema is JsonObject {
  must(isObject(schema), `${where}: Input should be a valid dictionary`);
  const text = JSON.stringify(schema);
  if (passed.has(text)) return;
  must(text.length <= MAX_CHARS, `${where}: the schema is too large`);
  must(depthOf(schema) <= MAX_DEPTH, `${where}: the schema exceeds the maximum allowed nesting depth`);
  try {
    // The services read every schema as 2020-12, whatever it declares; one with an id would be cached under it.
    const { $id: _id, $schema: _draft, ...anonymous } = schema;
    ajv.compile(anonymous);
  } catch (error) {
    throw new Refused(
      400,
      `${where}: JSON schema is invalid. It must match JSON Schema draft 2020-12: ${String(error)}`,
    );
  } finally {
    ajv.removeSchema();
  }
  // Compiling takes a millisecond, and each request brings the same tools again.
  if (passed.size < MAX_PASSED) passed.add(text);
}

/** Anthropic and OpenAI: an object whose alternatives, if any, are not at the top. */
export function checkTopLevel(schema: JsonObject, where: string, forbidden: string[]): void {
  must(
    schema['type'] === 'object',
    `${where}: schema must be of type "object", got ${JSON.stringify(schema['type'] ?? null)}`,
  );
  for (const key of forbidden)
    must(!(key in schema), `${where}: schema does not support oneOf, allOf, or anyOf at the top level (${key})`);
}

/** Calls `visit` with every schema inside a schema, itself included. */
export function walkSchema(
  schema: Json | undefined,
  visit: (schema: JsonObject, path: string) => void,
  path = '',
): void {
  if (!isObject(schema)) return;
  visit(schema, path);
  for (const key of ['properties', '$defs', 'definitions', 'patternProperties']) {
    const map = schema[key];
    if (isObject(map)) for (const [name, part] of Object.entries(map)) walkSchema(part, visit, `${path}.${name}`);
  }
  for (const key of ['items', 'additionalProperties', 'not', 'contains'])
    walkSchema(schema[key], visit, `${path}.${key}`);
  for (const key of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    const list = schema[key];
    if (Array.isArray(list)) list.forEach((part, index) => walkSchema(part, visit, `${path}.${key}[${index}]`));
  }
}

function depthOf(schema: Json): number {
  if (typeof schema !== 'object' || schema === null) return 0;
  // Only levels of values count, not the keywords of the schema language in between.
  const isLevel = isObject(schema) && (isObject(schema['properties']) || 'items' in schema);
  return Math.max(0, ...Object.values(schema).map(depthOf)) + (isLevel ? 1 : 0);
}
