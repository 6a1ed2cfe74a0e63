import { RoostError } from '#lib/contracts';
import { jsonShape, parseExactJson } from '#lib/template';

/** Nested deeper than this is no event of any service; reading and writing it goes as deep in our own stack. */
export const MAX_PAYLOAD_DEPTH = 100;
/** Events of services have a few thousand; each costs its reader about 100 times its bytes. */
const MAX_PAYLOAD_VALUES = 50_000;

/**
 * The body of a webhook: JSON with its numbers as they were sent (`parseExactJson`), or a form's fields as one object,
 * of a name that comes more than once all values in their order. A form that is nothing but a `payload` of JSON, as
 * GitHub and Slack send it, is that JSON.
 * Errors: UNSUPPORTED_MEDIA_TYPE, VALIDATION_ERROR.
 */
export function readPayload(headers: Record<string, string>, body: Buffer): unknown {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isJson = type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
  const isForm = type === 'application/x-www-form-urlencoded';
  if (!isJson && !isForm) throw new RoostError('UNSUPPORTED_MEDIA_TYPE', 'send application/json or a form');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw refused('not_utf8', 'is not UTF-8');
  }
  return isForm ? readForm(new URLSearchParams(text), headers['x-github-event'] !== undefined) : readJson(text);
}

function readForm(fields: URLSearchParams, isGitHub: boolean): unknown {
  const payload = fields.get('payload');
  const isAlone = fields.size === 1;
  if (payload !== null && (isGitHub || (isAlone && /^\s*[[{]/.test(payload)))) return readJson(payload);
  const valuesOf = new Map<string, string[]>();
  for (const [name, value] of fields) {
    const earlier = valuesOf.get(name);
    if (earlier) earlier.push(value);
    else valuesOf.set(name, [value]);
  }
  // Own properties whatever the name: `__proto__` is a field like any other.
  return Object.fromEntries([...valuesOf].map(([name, values]) => [name, values.length > 1 ? values : values[0]]));
}

/** A key that comes twice has its last value, as for `JSON.parse`; `__proto__` is a key like any other. */
function readJson(text: string): unknown {
  const shape = jsonShape(text, MAX_PAYLOAD_VALUES);
  if (shape.depth > MAX_PAYLOAD_DEPTH)
    throw refused('too_deep', `is nested more than ${MAX_PAYLOAD_DEPTH} levels deep`, { max: MAX_PAYLOAD_DEPTH });
  if (shape.values > MAX_PAYLOAD_VALUES)
    throw refused('too_many_values', `holds more than ${MAX_PAYLOAD_VALUES} values`, { max: MAX_PAYLOAD_VALUES });
  try {
    return parseExactJson(text, shape);
  } catch {
    throw refused('malformed_json', 'is not valid JSON');
  }
}

function refused(reason: string, message: string, more: { max?: number } = {}): RoostError {
  return new RoostError('VALIDATION_ERROR', `the body ${message}`, [{ field: 'body', reason, ...more }]);
}
