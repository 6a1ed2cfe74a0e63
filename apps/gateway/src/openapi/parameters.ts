import { requestHeader, type RequestHeader } from './headers.js';

/** A parameter as Fastify writes it, with what it may be: `:platform(discord|slack)`. */
export const PARAMETER = /:(\w+)(?:\(([\w|]+)\))?/g;

type Schema = Record<string, unknown>;
interface ObjectSchema {
  properties?: Record<string, Schema>;
  required?: string[];
}

/** Of the path, the query and the headers. A description is shown once: the parameter's, not its schema's. */
export function parametersOf(
  path: string,
  { params, query, headers }: { params?: object; query?: object; headers: readonly RequestHeader[] },
  shared: Record<string, Schema>,
): object[] {
  const descriptionOf = ({ $ref, description }: Schema) => {
    const said = description ?? shared[String($ref).split('/').at(-1) ?? '']?.['description'];
    return said === undefined ? {} : { description: said };
  };
  const described = (params as ObjectSchema | undefined)?.properties ?? {};
  const inPath = [...path.matchAll(PARAMETER)].map(([, name = '', values]) => ({
    name,
    in: 'path',
    required: true,
    ...descriptionOf(described[name] ?? {}),
    schema: { type: 'string', ...(values === undefined ? {} : { enum: values.split('|') }) },
  }));
  const { properties = {}, required = [] } = (query ?? {}) as ObjectSchema;
  const inQuery = Object.entries(properties).map(([name, schema]) => {
    const { description: _, ...bare } = schema;
    return { name, in: 'query', required: required.includes(name), ...descriptionOf(schema), schema: bare };
  });
  return [...inPath, ...inQuery, ...headers.map(requestHeader)];
}
