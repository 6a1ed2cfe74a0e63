import type { ServerResponse } from 'node:http';

/**
 * Calls `end` when the response closes, or at once when it has: whoever waited for anything since the request came may
 * be late for the event, and what `end` gives back would be kept for ever.
 */
export function onClose(response: ServerResponse, end: () => void): void {
  if (response.closed) end();
  else response.once('close', end);
}
