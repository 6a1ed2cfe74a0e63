import { RoostError } from '@roost-ai/sdk';

/** What the API says is wrong, by the path of the field. */
export function errorsByField(error: unknown): Record<string, string> {
  if (!(error instanceof RoostError)) return {};
  const found = error.details.flatMap(({ field, reason }) =>
    typeof field === 'string' ? [[field, String(reason)]] : [],
  );
  const [only] = found;
  // The message is about the only field that it names, and says more than the reason.
  if (found.length === 1 && only) return { [only[0] ?? '']: error.message };
  return Object.fromEntries(found) as Record<string, string>;
}
