import { RoostError, tooManyPlaceholders } from '#lib/contracts';
import { fillTemplate, MAX_PATH_STEPS, readPath } from '#lib/template';
import { checkTemplate, MAX_MESSAGE_CHARACTERS } from '../templates/check-template.js';

/** Headers that authenticate the sender: an agent has no use for them. */
const WITHHELD = [
  'authorization',
  'cookie',
  'x-webhook-secret',
  'x-hub-signature',
  'x-hub-signature-256',
  'webhook-signature',
];

/** Errors: VALIDATION_ERROR naming the first placeholder that is neither of the payload nor of the headers, or too many. */
export function checkTriggerTemplate(template: string): void {
  checkTemplate(template, isKnown, 'payload, payload.<path> and headers.<name>');
}

function isKnown(name: string): boolean {
  if (/^headers\.[a-z0-9-]+$/i.test(name)) return true;
  const [root, ...steps] = name.split('.');
  return root === 'payload' && steps.length <= MAX_PATH_STEPS && steps.every((step) => step !== '');
}

/**
 * The message of a webhook. What is missing is empty; it is cleared of what text in Postgres cannot hold. A template
 * saved before its placeholders were bounded repeats itself past any message: it is filled to the limit.
 * Errors: PAYLOAD_TOO_LARGE when the webhook makes a message longer than one may be: JSON that was cut is read wrong.
 */
export function renderTrigger(template: string, payload: unknown, headers: Record<string, string>): string {
  const valueOf = (name: string) => {
    const [root, ...steps] = name.split('.');
    if (root === 'payload') return readPath(payload, steps);
    const header = steps.join('.').toLowerCase();
    return Object.hasOwn(headers, header) && !WITHHELD.includes(header) ? headers[header] : '';
  };
  const { text, isCut } = fillTemplate(template, valueOf, MAX_MESSAGE_CHARACTERS);
  if (isCut && tooManyPlaceholders(template) === undefined)
    throw new RoostError(
      'PAYLOAD_TOO_LARGE',
      `this webhook makes a message of more than ${MAX_MESSAGE_CHARACTERS} characters: take less of it into message_template, e.g. {{payload.a.b}}`,
      [{ reason: 'message_too_long', max: MAX_MESSAGE_CHARACTERS }],
    );
  // In a unicode expression a lone surrogate is a character of its own.
  return text.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '\uFFFD');
}
