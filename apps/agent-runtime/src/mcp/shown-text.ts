import { printable } from '#lib/bounded-streams';
import type { McpServerConfig } from '#lib/contracts';
import { maskSecrets } from '../models/provider-message.js';

/** Read of what a server returned before it is masked and cut. */
const MAX_READ = 10_000;
const MAX_REASON_CHARS = 500;
/** What fits a screen; a stack trace's end is in it. The workspace keeps as much. */
const MAX_STDERR_CHARS = 2_000;
/** Shorter values are words and numbers that any text has, such as `1` or `on`. */
const MIN_SECRET_CHARS = 6;

/** Why a server cannot be used, in one line for its owner and the model: secrets masked, control characters escaped. */
export function shownReason(error: Error, config: McpServerConfig): string {
  const text = printable(withoutSecrets(error.message.slice(0, MAX_READ), config));
  return text.length > MAX_REASON_CHARS ? `${text.slice(0, MAX_REASON_CHARS - 1)}…`.toWellFormed() : text;
}

/** The last lines that a stdio server wrote to its stderr, for its owner; `null` when there are none. */
export function shownStderr(stderr: string, config: McpServerConfig): string | null {
  const tail = stderr.slice(-MAX_STDERR_CHARS);
  // What is cut may begin in the middle of a secret, which nothing would know as one.
  const whole = stderr.length < MAX_STDERR_CHARS ? tail : tail.replace(/^[^\n]*\n|^\S*/, '');
  const lines = withoutSecrets(whole, config).trim().split(/\r?\n/).map(printable);
  return lines.join('\n').slice(-MAX_STDERR_CHARS).toWellFormed() || null;
}

/** The values of its own headers and environment are secrets whatever their form. */
function withoutSecrets(text: string, config: McpServerConfig): string {
  const values = Object.values(('command' in config ? config.env : config.headers) ?? {});
  const secrets = values
    .flatMap((value) => [value, ...value.split(/\s+/)])
    .filter((value) => value.length >= MIN_SECRET_CHARS)
    .toSorted((a, b) => b.length - a.length);
  return maskSecrets(secrets.reduce((masked, secret) => masked.replaceAll(secret, '***'), text));
}
