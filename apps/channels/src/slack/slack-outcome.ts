import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { DeliveryError, type Refusal, refusedFor } from '../adapters/delivery-error.js';

/** https://docs.slack.dev/reference/methods/auth.test, errors that no waiting cures. */
const REFUSED = new Set([
  'not_authed',
  'invalid_auth',
  'account_inactive',
  'user_removed_from_team',
  'team_disabled',
  'token_revoked',
  'token_expired',
  'org_login_required',
  'no_permission',
  'missing_scope',
  'not_allowed_token_type',
]);
/** Slack's own trouble, answered before anything was done. */
const PASSING = new Set(['service_unavailable', 'team_added_to_org', 'fatal_error', 'internal_error']);
/** Certainly nothing was done. */
const WAIT = new Set(['ratelimited', 'rate_limited', 'message_limit_exceeded']);
const LIMIT_MS = 30_000;
/** https://docs.slack.dev/reference/methods/chat.postMessage#errors and chat.update's */
const REFUSALS: Record<Exclude<Refusal['kind'], 'moved'>, Set<string>> = {
  markup: new Set(['invalid_blocks', 'invalid_blocks_format', 'markdown_text_conflict', 'invalid_attachments']),
  thread: new Set([
    ...['thread_not_found', 'cannot_reply_to_message', 'invalid_thread_ts'],
    ...['restricted_action_thread_locked', 'restricted_action_non_threadable_channel'],
  ]),
  message: new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']),
  unreachable: new Set([
    ...['channel_not_found', 'is_archived', 'not_in_channel', 'restricted_action', 'user_disabled', 'user_not_found'],
    ...['cannot_dm_bot', 'messages_tab_disabled', 'is_inactive', 'channel_type_not_supported', 'access_denied'],
    ...['restricted_action_read_only_channel', 'restricted_action_thread_only_channel', 'user_not_visible'],
  ]),
};

/** Connections that were never made: the request cannot have reached Slack. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function answerOf(error: unknown): string | undefined {
  return error instanceof WebAPIPlatformError ? error.data.error : undefined;
}

/** Why a token does not work, when that is what the error states. */
export function rejectionOf(error: unknown, which: 'bot_token' | 'app_token'): string | undefined {
  const answer = answerOf(error);
  return answer !== undefined && REFUSED.has(answer)
    ? `Slack refuses the ${which} (${answer}); set a new slack_bot_token`
    : undefined;
}

export function retryAfterMsOf(error: unknown): number | undefined {
  return error instanceof WebAPIRateLimitedError ? error.retryAfter * 1_000 : undefined;
}

/**
 * Sorts a failed call. A send that got no answer may have been shown; it is repeated with the same key, which looks
 * first (see `SlackConnection.send`).
 */
export function deliveryErrorOf(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== undefined) return new DeliveryError('retry', 'Slack asks to wait', retryAfterMs);
  const answer = answerOf(error);
  if (answer !== undefined) {
    if (WAIT.has(answer)) return new DeliveryError('retry', answer, LIMIT_MS);
    if (PASSING.has(answer)) return new DeliveryError('uncertain', answer, 2_000);
    const kinds = Object.keys(REFUSALS) as (keyof typeof REFUSALS)[];
    return refusedFor(
      kinds.find((kind) => REFUSALS[kind].has(answer)),
      answer,
    );
  }
  if (error instanceof WebAPIHTTPError)
    return new DeliveryError('uncertain', `Slack answered ${error.statusCode}`, 2_000);
  const cause = error instanceof WebAPIRequestError ? (error.original.cause ?? error.original) : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  const isUnsent = typeof code === 'string' && NOT_SENT.has(code);
  return new DeliveryError(isUnsent ? 'retry' : 'uncertain', 'no answer from Slack', 2_000);
}
