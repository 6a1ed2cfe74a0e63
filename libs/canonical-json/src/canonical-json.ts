/** Deeper than what any tool takes; what reads a value goes as deep in its own stack. */
const MAX_DEPTH = 200;

/**
 * One text for one JSON value, whatever the order of its fields: RFC 8785. Lone surrogates are written as escapes, and
 * so are none of what is `undefined`. Errors: RangeError for a value that is nested too deeply.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError(`nested more than ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  // By UTF-16 code units, which is how JavaScript compares texts.
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field, depth + 1)}`);
  return `{${fields.join(',')}}`;
}
