import { DeliveryError, refusedFor } from '../adapters/delivery-error.js';

interface Answer {
  error_code: number;
  description: string;
  parameters?: { retry_after?: number; migrate_to_chat_id?: number };
}

/** What Telegram answered, if it answered; telegraf puts it in `response`. */
function answerOf(error: unknown): Answer | undefined {
  const response = (error as { response?: Partial<Answer> }).response;
  return typeof response?.error_code === 'number' ? (response as Answer) : undefined;
}

/** Connections that were never made: the request cannot have reached Telegram. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Why the token does not work, when that is what the error states. */
export function rejectionOf(error: unknown): string | undefined {
  const answer = answerOf(error);
  if (answer?.error_code === 401 || answer?.error_code === 404) {
    return `Telegram refuses the bot token (${answer.description}); set a new telegram_bot_token`;
  }
  return undefined;
}

/** Another program has the bot's updates: it polls too, or has set a webhook. https://core.telegram.org/bots/api#getupdates */
export function conflictOf(error: unknown): string | undefined {
  const answer = answerOf(error);
  if (answer?.error_code !== 409) return undefined;
  return `another program uses this bot (${answer.description}): Telegram gives each message to one of both. Stop the other, or set a telegram_bot_token of another bot`;
}

export function retryAfterMsOf(error: unknown): number | undefined {
  const seconds = answerOf(error)?.parameters?.retry_after;
  return seconds === undefined ? undefined : seconds * 1_000;
}

/**
 * Sorts a failed call. Telegram has no idempotency: whoever got no answer cannot know whether a message was shown,
 * except for edits, which can be repeated.
 */
export function deliveryErrorOf(error: unknown, method: string): DeliveryError {
  const answer = answerOf(error);
  if (answer) {
    const { error_code: code, description } = answer;
    if (code === 429) return new DeliveryError('retry', description, retryAfterMsOf(error));
    if (code < 500) return refusalOf(answer);
    return new DeliveryError(method.startsWith('send') ? 'uncertain' : 'retry', description);
  }
  const code = (error as { code?: unknown }).code;
  const isRepeatable = !method.startsWith('send') || (typeof code === 'string' && NOT_SENT.has(code));
  return new DeliveryError(
    isRepeatable ? 'retry' : 'uncertain',
    `no answer from Telegram${typeof code === 'string' ? ` (${code})` : ''}`,
    2_000,
  );
}

/** Telegram has one code for all bad requests, so these are distinguished by their texts. */
const DESCRIPTIONS: [RegExp, 'thread' | 'message' | 'unreachable' | undefined][] = [
  [/not modified|is empty|file|too big|wrong type|photo|document/i, undefined],
  [/thread not found|TOPIC_(DELETED|CLOSED|ID_INVALID)/i, 'thread'],
  [/message to (edit|be replied|reply)|MESSAGE_ID_INVALID|can't be edited/i, 'message'],
  [
    /chat not found|rights|CHAT_(RESTRICTED|WRITE_FORBIDDEN|ADMIN_REQUIRED)|PEER_ID_INVALID|deactivated|kicked/i,
    'unreachable',
  ],
];

/** A bad request that is none of those is most often the markup's fault, and plain text the most that can be tried. */
function refusalOf({ error_code: code, description, parameters }: Answer): DeliveryError {
  const to = parameters?.migrate_to_chat_id;
  if (to !== undefined) return new DeliveryError('failed', description, 1_000, { kind: 'moved', to: String(to) });
  if (code === 403) return refusedFor('unreachable', description);
  if (code !== 400) return refusedFor(undefined, description);
  const known = DESCRIPTIONS.find(([pattern]) => pattern.test(description));
  return refusedFor(known ? known[1] : 'markup', description);
}
