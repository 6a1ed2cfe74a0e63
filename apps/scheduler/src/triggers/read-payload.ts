import { RoostError } from '#lib/contracts';

/** The body of a webhook as JSON; a form's fields become one object. Errors: UNSUPPORTED_MEDIA_TYPE, VALIDATION_ERROR. */
export function readPayload(contentType: string | undefined, body: Buffer): unknown {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isJson = type === 'application/json' || /^application\/[\w.-]+\+json$/.test(type);
  const isForm = type === 'application/x-www-form-urlencoded';
  if (!isJson && !isForm) throw new RoostError('UNSUPPORTED_MEDIA_TYPE', 'send application/json or a form');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new RoostError('VALIDATION_ERROR', 'the body is not UTF-8', [{ field: 'body', reason: 'not_utf8' }]);
  }
  if (isForm) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RoostError('VALIDATION_ERROR', 'the body is not JSON', [{ field: 'body', reason: 'not_json' }]);
  }
}
