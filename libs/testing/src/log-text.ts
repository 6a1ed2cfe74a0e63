import { createLogger } from '#lib/observability';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { until } from './until.js';

/**
 * What is in a log file once all that this process logged into it before is there. Lines are written a moment later:
 * who reads at once may meet no file, or judge of a log that does not hold what it looks for yet.
 */
export async function logText(file: string): Promise<string> {
  const mark = randomUUID();
  createLogger('spec', { ROOST_LOG_FILE: file }).info(mark);
  return until(`the log ${file} is written`, () => {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return text.includes(mark) && text;
  });
}
