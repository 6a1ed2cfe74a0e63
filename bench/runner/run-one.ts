import { benches } from '../benches.js';
import { Options } from './bench.js';

/** A bench's own process, so that none of them measures in another's heap. Sends its figures to the runner. */
const [name, ...words] = process.argv.slice(2);
const entry = benches.find((bench) => bench.name === name);
if (!entry) throw new Error(`there is no bench ${name}`);
const { run } = await entry.load();
const figures = await run(new Options(words));
process.send?.(figures, () => process.disconnect());
