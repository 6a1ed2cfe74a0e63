/**
 * Most places that a template may have when it is saved. A message of 100,000 characters with hundreds of holes is
 * nobody's; each place costs a look-up for every firing.
 */
export const MAX_TEMPLATE_PLACES = 200;

/** One place, `{{name}}`. Without spaces of its own, so that it is matched in one pass whatever is between the braces. */
export const TEMPLATE_PLACE = /\{\{([^{}]*)\}\}/g;

/** The names between `{{` and `}}`, in order, each as often as it is there; no more than `most`. */
export function placesOf(template: string, most = Infinity): string[] {
  const names: string[] = [];
  for (const [, name = ''] of template.matchAll(TEMPLATE_PLACE)) {
    if (names.length >= most) break;
    names.push(name.trim());
  }
  return names;
}

/** What is wrong with the number of a template's places; undefined when nothing is. */
export function tooManyPlaces(template: string): string | undefined {
  return placesOf(template, MAX_TEMPLATE_PLACES + 1).length > MAX_TEMPLATE_PLACES
    ? `has more than ${MAX_TEMPLATE_PLACES} {{…}} places`
    : undefined;
}
