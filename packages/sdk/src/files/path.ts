/**
 * A workspace's path as a part of a URL. `.` and `..` are resolved here: in a URL they would lead to another operation.
 * Errors: RangeError for a path that leaves the workspace.
 */
export function encodePath(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) throw new RangeError(`the path ${path} leaves the workspace`);
  }
  return names.map(encodeURIComponent).join('/');
}

export function queryOf(fields: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query.toString()}`;
}
