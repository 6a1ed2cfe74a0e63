import { DiscordAPIError, HTTPError, RateLimitError } from '@discordjs/rest';
import { RESTJSONErrorCodes as Code } from 'discord-api-types/v10';
import { DeliveryError, type Refusal, refusedFor } from '../adapters/delivery-error.js';

/** Why the token does not work, when that is what the error states. */
export function rejectionOf(error: unknown): string | undefined {
  if (error instanceof DiscordAPIError && error.status === 401) {
    return 'Discord refuses the bot token (401); set a new discord_bot_token';
  }
  return undefined;
}

/** How long Discord wants us to wait, when that is what the error states. */
export function retryAfterMsOf(error: unknown): number | undefined {
  if (!(error instanceof RateLimitError)) return undefined;
  return Math.max(error.retryAfter, error.sublimitTimeout, error.timeToReset, 250);
}

/** https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
const KINDS = new Map<number | string, Exclude<Refusal['kind'], 'moved'>>([
  // A deleted thread is an unknown channel; where no chat above it is known, it is out of reach.
  [Code.UnknownChannel, 'thread'],
  [Code.InvalidActionOnArchivedThread, 'thread'],
  [Code.ThreadLocked, 'thread'],
  [Code.UnknownMessage, 'message'],
  [Code.CannotEditMessageAuthoredByAnotherUser, 'message'],
  [Code.MaximumNumberOfEditsToMessagesOlderThanOneHourReached, 'message'],
  [Code.UnknownGuild, 'unreachable'],
  [Code.UnknownUser, 'unreachable'],
  [Code.MissingAccess, 'unreachable'],
  [Code.MissingPermissions, 'unreachable'],
  [Code.CannotSendMessagesToThisUser, 'unreachable'],
  [Code.CannotSendMessagesToThisUserDueToHavingNoMutualGuilds, 'unreachable'],
]);
/** Limits that are answered as errors. */
const PASSING = new Set<number | string>([
  ...[Code.ChannelWriteRateLimit, Code.ServerWriteRateLimit, Code.APIResourceOverloaded],
]);

/** Sorts a failed request. Without an answer nobody knows what became of it. */
export function deliveryErrorOf(error: unknown): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== undefined) return new DeliveryError('retry', 'Discord limits the rate', retryAfterMs);
  if (rejectionOf(error) !== undefined || isWithoutToken(error)) {
    // With the next token it will go; that makes a new connection.
    return new DeliveryError('retry', 'Discord refuses the bot token', 5_000);
  }
  if (error instanceof DiscordAPIError) {
    const reason = `Discord says: ${error.message} (${error.code})`;
    return PASSING.has(error.code)
      ? new DeliveryError('retry', reason, 10_000)
      : refusedFor(KINDS.get(error.code), reason);
  }
  if (error instanceof HTTPError) return new DeliveryError('uncertain', `Discord answers ${error.status}`, 2_000);
  const { code, name } = error as { code?: unknown; name?: unknown };
  const why = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
  return new DeliveryError('uncertain', `no answer from Discord (${why})`, 2_000);
}

/** After a 401 the SDK forgets the token and asks Discord no more. */
function isWithoutToken(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Expected token to be set');
}
