const PATH = /\{\{\s*payload((?:\.[\w-]+)+)\s*\}\}/g;

/** A body that has what a template asks for: `{{payload.issue.title}}` → `{ issue: { title: 'title' } }`. */
export function examplePayload(template: string): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const [, path = ''] of template.matchAll(PATH)) {
    const names = path.slice(1).split('.');
    // A name of every object is none that a body would be asked for.
    if (names.includes('__proto__')) continue;
    const last = names.pop() ?? '';
    let at = payload;
    for (const name of names) {
      const next = at[name];
      at = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : (at[name] = {});
    }
    at[last] ??= last;
  }
  return payload;
}
