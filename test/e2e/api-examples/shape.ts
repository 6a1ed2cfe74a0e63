/** Fields whose names inside are data: how workspaces run on this machine. */
const OPEN = ['workspaces'];

/**
 * What must not change unnoticed of an example: the names of fields and the types of values. Null fits everything, for
 * what is null depends on the moment; entries of a list are taken together.
 */
export function differences(recorded: unknown, kept: unknown, place = ''): string[] {
  if (recorded === null || kept === null) return [];
  const [one, other] = [typeOf(recorded), typeOf(kept)];
  if (one !== other) return [`${place} is ${one}, and ${other} in the file`];
  if (Array.isArray(recorded) && Array.isArray(kept)) {
    if (recorded.length === 0 || kept.length === 0) return [];
    return differences(recorded[0], kept[0], `${place}[]`);
  }
  if (one !== 'object') return [];
  const [now, before] = [recorded as Record<string, unknown>, kept as Record<string, unknown>];
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].flatMap((name) => {
    if (!(name in now)) return [`${place}.${name} is only in the file`];
    if (!(name in before)) return [`${place}.${name} is not in the file`];
    return OPEN.includes(name) ? [] : differences(now[name], before[name], `${place}.${name}`);
  });
}

const typeOf = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);
