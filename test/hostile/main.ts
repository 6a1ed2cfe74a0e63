import { describe } from './report.js';
import { runHostile } from './run-hostile.js';

/**
 * `npm run hostile`: exits with 1 when the good account was not answered, or late, or when a process ended or grew too
 * large beside an account that does all it can for `--seconds` (30).
 */
const seconds = Number(/--seconds[= ](\d+)/.exec(process.argv.join(' '))?.[1] ?? 30);
const outcome = await runHostile({
  seconds: Math.min(Math.max(seconds, 5), 600),
  isQuiet: process.argv.includes('--quiet'),
});
console.log(describe(outcome));
process.exit(outcome.checks.every(({ isMet }) => isMet) ? 0 : 1);
