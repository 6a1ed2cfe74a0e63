/** What TypeScript's library does not know yet: https://tc39.es/proposal-json-parse-with-source */
interface ExactJson {
  parse(text: string, reviver: (key: string, value: unknown, context?: { source?: string }) => unknown): unknown;
  rawJSON?(text: string): unknown;
}

/**
 * Reads JSON whose numbers keep all their digits when they are sent, as in a trigger's payload: `12345678901234567890` is
 * no number that JavaScript has. Such a one is what `JSON.stringify` writes as it was. An engine without `JSON.rawJSON`
 * (Node.js 20) rounds it, as `JSON.parse` does. Errors: SyntaxError.
 */
export function parseExactJson(text: string): unknown {
  const exact = JSON as unknown as ExactJson;
  return exact.parse(text, (_key, value, { source } = {}) => {
    const isRounded = typeof value === 'number' && source !== undefined && JSON.stringify(value) !== source;
    return isRounded && exact.rawJSON ? exact.rawJSON(source) : value;
  });
}
