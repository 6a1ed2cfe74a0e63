import cronstrue from 'cronstrue';

/** Roost's own names, in the fields that they stand for (docs/guide/schedules.md). */
const MACROS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/** `0 9 * * 1-5` → `At 09:00, Monday through Friday`; undefined for what is no expression. */
export function cronWords(cron: string): string | undefined {
  const expression = MACROS[cron.trim().toLowerCase()] ?? cron;
  try {
    return cronstrue.toString(expression, { use24HourTimeFormat: true, throwExceptionOnParseError: true });
  } catch {
    // Whether it is one is decided by Roost, which says why not.
    return undefined;
  }
}
