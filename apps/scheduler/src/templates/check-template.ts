import { MAX_TEMPLATE_PLACEHOLDERS, placeholdersOf, RoostError, tooManyPlaceholders } from '#lib/contracts';

/** What a message may hold (spec: messages.md). */
export const MAX_MESSAGE_CHARACTERS = 100_000;

/**
 * Checks a template when it is saved; `known` names its variables for the user. One saved before there was a bound on
 * its placeholders still fires. Errors: VALIDATION_ERROR naming `message_template`.
 */
export function checkTemplate(template: string, isKnown: (name: string) => boolean, known: string): void {
  const tooMany = tooManyPlaceholders(template);
  if (tooMany !== undefined) throw refused('too_many_places', tooMany, { max: MAX_TEMPLATE_PLACEHOLDERS });
  const unknown = placeholdersOf(template).find((name) => !isKnown(name));
  if (unknown !== undefined)
    throw refused('unknown_variable', `unknown variable '${unknown.slice(0, 100)}'; there are ${known}`);
}

function refused(reason: string, message: string, more: { max?: number } = {}): RoostError {
  return new RoostError('VALIDATION_ERROR', `message_template: ${message}`, [
    { field: 'message_template', reason, message, ...more },
  ]);
}
