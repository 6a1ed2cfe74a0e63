import { isClean } from './ledger.js';
import { help, readOptions } from './options.js';
import { describeResult } from './report.js';
import { runChaos } from './run-chaos.js';

/**
 * `npm run chaos` and `npm run chaos:quick`: exits with 1 when a message was lost, doubled, stuck or out of order, or a
 * request was one that no provider takes. So it does with `--positive-control`, where it has to; with 2 when it did not find the duplicates that it had to.
 */
const { isPositiveControl, ...options } = optionsOrEnd(process.argv.slice(2));
console.log(`seed ${options.seed}: ${options.kills} kills, ${options.wipes} wipes, ${options.freezes} freezes`);
const result = await runChaos(options);
console.log(describeResult(options, result));
console.log(`Again: npm run chaos -- --seed ${options.seed} --minutes ${Math.round(options.durationMs / 6_000) / 10}`);
if (isPositiveControl && result.verdict.duplicate === 0) {
  console.log(
    'Positive control: the fence was off and no duplicate was found. This run would not notice a broken fence.',
  );
  process.exit(2);
}
if (isPositiveControl) console.log('Positive control: without the fence the run fails, as it must.');
process.exit(isClean(result.verdict) && !result.model?.refusals.length ? 0 : 1);

function optionsOrEnd(args: string[]) {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help);
    process.exit(0);
  }
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(1);
  }
}
