/** What PostgreSQL can hold as text: no NUL, no half of a surrogate pair. */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\0', '');

/** As they stand in JSON; also where a text spells them out, which costs a second pass and changes nothing. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/;

/** A value as JSON that PostgreSQL can hold. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!UNSTORABLE.test(json)) return json;
  return JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner === 'string') return storableText(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, part]) => [storableText(name), part]));
  });
}
