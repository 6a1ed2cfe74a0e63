import { TEMPLATE_PLACE } from '#lib/contracts';

export interface Filled {
  text: string;
  /** There was more than `maxCharacters`: the text ends there. */
  isCut: boolean;
}

/**
 * Fills every placeholder with what `valueOf` gives for its name; undefined leaves the placeholder as it is written. `valueOf` is
 * asked once for each name, and for none after the text has `maxCharacters`: what a template of thousands of placeholders
 * costs does not grow with their number times the length of what fills them.
 */
export function fillTemplate(
  template: string,
  valueOf: (name: string) => string | undefined,
  maxCharacters: number,
): Filled {
  const values = new Map<string, string | undefined>();
  const parts: string[] = [];
  let length = 0;
  const add = (text: string): boolean => {
    const space = maxCharacters - length;
    parts.push(text.length > space ? text.slice(0, space) : text);
    length += Math.min(space, text.length);
    return text.length > space;
  };
  // Half a character at the end is none.
  const cut = () => ({ text: parts.join('').replace(/[\uD800-\uDBFF]$/, ''), isCut: true });
  let end = 0;
  for (const { 0: whole, 1: inner = '', index } of template.matchAll(TEMPLATE_PLACE)) {
    const name = inner.trim();
    if (add(template.slice(end, index))) return cut();
    if (!values.has(name)) values.set(name, valueOf(name));
    if (add(values.get(name) ?? whole)) return cut();
    end = index + whole.length;
  }
  return add(template.slice(end)) ? cut() : { text: parts.join(''), isCut: false };
}
