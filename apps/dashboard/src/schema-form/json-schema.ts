import { queryOptions } from '@tanstack/react-query';

/** The parts of JSON Schema that the API's document uses. */
export interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

interface Document {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: JsonSchema }> } }>>;
  components: { schemas: Record<string, JsonSchema> };
}

/** The form is made from what the running gateway takes: a field that it learns is there without a new dashboard. */
export const apiDocumentQuery = queryOptions({
  queryKey: ['openapi'],
  queryFn: async ({ signal }) => {
    const response = await fetch('/openapi.json', { signal });
    if (!response.ok) throw new Error(`The description of the API cannot be loaded (${response.status}).`);
    return (await response.json()) as Document;
  },
  staleTime: Infinity,
});

/** The schema of a POST's body. */
export function bodySchemaOf(document: Document, path: string): JsonSchema | undefined {
  const schema = document.paths[path]?.['post']?.requestBody?.content['application/json']?.schema;
  return schema && resolved(schema, document.components.schemas);
}

/** Without references, and without what only says that null is taken, too: a form leaves a field empty. */
function resolved(schema: JsonSchema, known: Record<string, JsonSchema>, depth = 0): JsonSchema {
  if (depth > 12) return {};
  const { $ref, anyOf, properties, items, additionalProperties, ...rest } = schema;
  if ($ref !== undefined) return { ...resolved(known[$ref.split('/').at(-1) ?? ''] ?? {}, known, depth + 1), ...rest };
  const choices = anyOf?.filter(({ type }) => type !== 'null').map((each) => resolved(each, known, depth + 1));
  if (choices?.length === 1) return { ...choices[0], ...rest };
  return {
    ...rest,
    ...(Array.isArray(rest.type) ? { type: rest.type.find((type) => type !== 'null') ?? 'string' } : {}),
    ...(choices ? { anyOf: choices } : {}),
    ...(items ? { items: resolved(items, known, depth + 1) } : {}),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: resolved(additionalProperties, known, depth + 1) }
      : {}),
    ...(properties
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, each]) => [name, resolved(each, known, depth + 1)]),
          ),
        }
      : {}),
  };
}

export type FieldKind = 'object' | 'choice' | 'flag' | 'number' | 'text' | 'long-text' | 'list' | 'map' | 'json';

/** Beyond this a text has lines. */
const LONG_TEXT = 1_000;

/** With what control a value is edited. */
export function kindOf(schema: JsonSchema): FieldKind {
  if (schema.enum) return 'choice';
  if (schema.properties) return 'object';
  if (schema.type === 'boolean') return 'flag';
  if (schema.type === 'number' || schema.type === 'integer') return 'number';
  if (schema.type === 'string') return (schema.maxLength ?? 0) > LONG_TEXT ? 'long-text' : 'text';
  if (schema.type === 'array' && schema.items?.type === 'string') return 'list';
  if (typeof schema.additionalProperties === 'object' && schema.additionalProperties.type === 'string') return 'map';
  return 'json';
}

/** `timeout_seconds` → `Timeout seconds` */
export const labelOf = (name: string): string => {
  const words = name.replaceAll('_', ' ').replace(/\b(mcp|url|api|ms|mb|cpu|id)\b/g, (word) => word.toUpperCase());
  return `${words[0]?.toUpperCase()}${words.slice(1)}`;
};

/** A value in a field of text; of another form it is edited as JSON. */
export const textOf = (value: unknown, otherwise = ''): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : otherwise;
