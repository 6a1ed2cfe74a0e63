const PLACE = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** The names between `{{` and `}}`, in order, each as often as it is there. */
export function placesOf(template: string): string[] {
  return [...template.matchAll(PLACE)].map((match) => match[1] ?? '');
}

/** Fills every place with what `valueOf` gives for its name; undefined leaves the place as it is written. */
export function fillPlaces(template: string, valueOf: (name: string) => string | undefined): string {
  return template.replace(PLACE, (whole, name: string) => valueOf(name) ?? whole);
}
