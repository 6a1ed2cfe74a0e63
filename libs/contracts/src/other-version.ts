import type { z } from 'zod';

// Each round lets one more level of unions be looked into.
const maxRounds = 8;

/**
 * Parses what a service of another version sent. While replicas are replaced N−1 works beside N: a field that N added
 * to a reply or an event is left out here, where a caller's own input is refused for it. Errors: zod's, for anything
 * else that does not fit.
 */
export function parseFromOtherVersion<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  let parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const known: unknown = structuredClone(value);
  for (let round = 0; round < maxRounds && !parsed.success; round += 1) {
    if (!dropUnknown(known, parsed.error.issues)) break;
    parsed = schema.safeParse(known);
  }
  if (parsed.success) return parsed.data;
  throw parsed.error;
}

/** Takes the unknown fields away that the issues name; false when there is none. */
function dropUnknown(value: unknown, issues: z.core.$ZodIssue[]): boolean {
  let hasDropped = false;
  for (const issue of issues) {
    const here = issue.path.reduce<unknown>((at, key) => fieldOf(at, key), value);
    if (issue.code === 'unrecognized_keys' && typeof here === 'object' && here !== null) {
      for (const key of issue.keys) hasDropped = Reflect.deleteProperty(here, key) || hasDropped;
    }
    if (issue.code === 'invalid_union') {
      // The member that is right but for unknown fields is the one that was meant.
      const meant = issue.errors.find((errors) => errors.length > 0 && errors.every(isUnknownField));
      if (meant) hasDropped = dropUnknown(here, meant) || hasDropped;
    }
  }
  return hasDropped;
}

function isUnknownField({ code }: z.core.$ZodIssue): boolean {
  return code === 'unrecognized_keys' || code === 'invalid_union';
}

function fieldOf(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
}
