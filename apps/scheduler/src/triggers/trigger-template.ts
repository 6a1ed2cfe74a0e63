import { RoostError } from '#lib/contracts';
import { fillPlaces, MAX_PATH_STEPS, placesOf, readPath } from '#lib/template';

const MAX_CHARACTERS = 100_000;
/** Headers that prove who sent it: an agent has no use for them. */
const WITHHELD = [
  'authorization',
  'cookie',
  'x-webhook-secret',
  'x-hub-signature',
  'x-hub-signature-256',
  'webhook-signature',
];

/** Errors: VALIDATION_ERROR naming the first place that is neither of the payload nor of the headers. */
export function checkTriggerTemplate(template: string): void {
  const unknown = placesOf(template).find((name) => !isKnown(name));
  if (unknown === undefined) return;
  const message = `unknown variable '${unknown.slice(0, 100)}'; there are payload, payload.<path> and headers.<name>`;
  throw new RoostError('VALIDATION_ERROR', `message_template: ${message}`, [
    { field: 'message_template', reason: 'unknown_variable', message },
  ]);
}

function isKnown(name: string): boolean {
  if (/^headers\.[a-z0-9-]+$/i.test(name)) return true;
  const [root, ...steps] = name.split('.');
  return root === 'payload' && steps.length <= MAX_PATH_STEPS && steps.every((step) => step !== '');
}

/**
 * The message of a webhook. What is missing is empty; it is cut at 100,000 characters and cleared of what text in
 * Postgres cannot hold.
 */
export function renderTrigger(template: string, payload: unknown, headers: Record<string, string>): string {
  const filled = fillPlaces(template, (name) => {
    const [root, ...steps] = name.split('.');
    if (root === 'payload') return readPath(payload, steps);
    const header = steps.join('.').toLowerCase();
    return Object.hasOwn(headers, header) && !WITHHELD.includes(header) ? headers[header] : '';
  });
  // In a unicode expression a lone surrogate is a character of its own.
  return filled
    .slice(0, MAX_CHARACTERS)
    .replaceAll('\0', '')
    .replace(/\p{Surrogate}/gu, '\uFFFD');
}
