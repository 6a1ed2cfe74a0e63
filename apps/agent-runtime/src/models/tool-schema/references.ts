import { isSchema, type Schema } from './schema.js';

/** A schema that refers to one that refers to one … */
const MAX_HOPS = 20;

/**
 * What a schema refers to within its document, with what it says beside the reference; and the references that lead
 * there. One that leads nowhere, elsewhere or to itself leaves the value open.
 */
export function referred(schema: Schema, root: Schema, inside: string[]): [Schema, string[]] {
  let found = schema;
  const path = [...inside];
  for (let hop = 0; typeof found['$ref'] === 'string'; hop++) {
    const { $ref: reference, ...beside } = found;
    const target = path.includes(String(reference)) || hop >= MAX_HOPS ? undefined : lookUp(root, String(reference));
    path.push(String(reference));
    found = { ...(target ?? {}), ...beside };
  }
  return [found, path];
}

function lookUp(root: Schema, reference: string): Schema | undefined {
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Schema)[name];
  }
  return isSchema(found) ? found : undefined;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
