import { isClean } from './ledger.js';
import { readOptions } from './options.js';
import { describeResult } from './report.js';
import { runChaos } from './run-chaos.js';

/** `npm run chaos` and `npm run chaos:quick`: exits with 1 when a message was lost, doubled, stuck or out of order. */
const { isPositiveControl, ...options } = readOptions(process.argv.slice(2));
console.log(`seed ${options.seed}: ${options.kills} kills, ${options.wipes} wipes, ${options.freezes} freezes`);
const result = await runChaos(options);
console.log(describeResult(options, result));
if (isPositiveControl) {
  const isCaught = result.verdict.duplicate > 0;
  console.log(
    isCaught
      ? 'Positive control: without the fence duplicates were found, as they must be.'
      : 'Positive control: the fence was off and no duplicate was found. This run would not notice a broken fence.',
  );
  process.exit(isCaught ? 0 : 1);
}
process.exit(isClean(result.verdict) ? 0 : 1);
