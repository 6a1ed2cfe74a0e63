import { storableText } from '#lib/database';

/**
 * Why a platform refused something, as far as that decides what to do about it:
 * `markup` → plain text · `thread` → the chat without it · `message` (the one to edit is gone) → a new one ·
 * `moved` → the new chat · `unreachable` (blocked, kicked, archived, no rights) → nothing helps, the binding shows it.
 */
export type Refusal =
  | { kind: 'markup' }
  | { kind: 'thread' }
  | { kind: 'message' }
  | { kind: 'moved'; to: string }
  | { kind: 'unreachable' };

/** Of a platform's own text. */
const MAX_REASON = 500;

/** Read before it is masked and cut: masking long text of a stranger takes long. */
const MAX_READ = 4 * MAX_REASON;

/** Tokens as the platforms write them, wherever they stand in an error. */
const SECRETS = /\b(bot)?\d{3,20}:[\w-]{5,}|\bx(?:ox[a-z]|app)-[\w-]+|\b[\w-]{20,}\.[\w-]{6}\.[\w-]{25,}/g;

/**
 * What became of something that was to be shown, on every platform alike.
 * `retry`: certainly not shown, try again · `failed`: never will be · `uncertain`: it may have been shown.
 * With a `refusal` that can be repaired the outcome is that of not repairing it.
 */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';

  constructor(
    readonly outcome: 'retry' | 'failed' | 'uncertain',
    message: string,
    readonly retryAfterMs = 1_000,
    readonly refusal?: Refusal,
  ) {
    super(storableText(message.slice(0, MAX_READ).replace(SECRETS, '***').slice(0, MAX_REASON)));
  }
}

/** `failed`, for the reason that the platform gives. */
export function refusedFor(kind: Exclude<Refusal['kind'], 'moved'> | undefined, message: string): DeliveryError {
  return new DeliveryError('failed', message, 1_000, kind === undefined ? undefined : { kind });
}
