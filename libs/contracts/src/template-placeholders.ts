/**
 * Most placeholders that a template may have when it is saved. A message of 100,000 characters with hundreds of them is
 * nobody's; each placeholder costs a look-up for every firing.
 */
export const MAX_TEMPLATE_PLACEHOLDERS = 200;

/** One placeholder, `{{name}}`. Without spaces of its own, so that it is matched in one pass whatever is between the braces. */
export const TEMPLATE_PLACE = /\{\{([^{}]*)\}\}/g;

/** The names between `{{` and `}}`, in order, each as often as it is there; no more than `most`. */
export function placeholdersOf(template: string, most = Infinity): string[] {
  const names: string[] = [];
  for (const [, name = ''] of template.matchAll(TEMPLATE_PLACE)) {
    if (names.length >= most) break;
    names.push(name.trim());
  }
  return names;
}

/** What is wrong with the number of a template's placeholders; undefined when nothing is. */
export function tooManyPlaceholders(template: string): string | undefined {
  return placeholdersOf(template, MAX_TEMPLATE_PLACEHOLDERS + 1).length > MAX_TEMPLATE_PLACEHOLDERS
    ? `has more than ${MAX_TEMPLATE_PLACEHOLDERS} {{…}} placeholders`
    : undefined;
}
