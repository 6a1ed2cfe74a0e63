import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benches, type BenchEntry } from './benches.js';
import type { Figure } from './runner/bench.js';
import { forkClosed } from './runner/closed-process.js';
import { table } from './runner/table.js';

/**
 * `npm run bench -- [names…] [key=value…]`: runs the chosen benches one after the other, each in a process of its own,
 * prints one table and writes the same as JSON into bench/results. Ends with 1 when a bench could not be carried out;
 * a missed goal is shown in the table and is no failure, since it may be the machine's.
 */
const words = process.argv.slice(2);
const names = words.filter((word) => benches.some((bench) => bench.name === word));
const options = words.filter((word) => !names.includes(word));
const unknown = options.filter((word) => names.length === 0 && !word.includes('='));

if (words.includes('list') || words.includes('--help')) list();
else if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(', ')}`);
  list();
  process.exitCode = 1;
} else await measure(benches.filter((bench) => (names.length > 0 ? names.includes(bench.name) : bench.isDefault)));

function list(): void {
  for (const { name, about, isDefault } of benches) console.log(`${isDefault ? '*' : ' '} ${name.padEnd(14)} ${about}`);
  console.log('\n* runs when none is chosen. Options are key=value, see bench/README.md.');
}

async function measure(chosen: BenchEntry[]): Promise<void> {
  const results: Record<string, Figure[]> = {};
  const machine = { cpus: availableParallelism(), model: cpus()[0]?.model ?? '', loadBefore: loadavg()[0] ?? 0 };
  for (const entry of chosen) {
    const { name, about } = entry;
    console.error(`${name}: ${about}`);
    const figures = await runAlone(entry).catch((error: unknown) => console.error(`${name}: ${String(error)}`));
    if (figures) results[name] = figures;
    else process.exitCode = 1;
  }
  console.log(`\n${table(results)}\n`);
  console.log(`${machine.cpus} CPUs (${machine.model}), load before the run ${machine.loadBefore.toFixed(2)}`);
  console.log(`written to ${write({ at: new Date().toISOString(), machine, options, results })}`);
}

async function runAlone({ name, isClosed, load }: BenchEntry): Promise<Figure[] | undefined> {
  await (await load()).prepare?.();
  const program = fileURLToPath(new URL('./runner/run-one.js', import.meta.url));
  const child = isClosed
    ? forkClosed(program, [name, ...options])
    : // The table alone goes to standard output.
      fork(program, [name, ...options], { stdio: ['ignore', process.stderr, process.stderr, 'ipc'] });
  let figures: Figure[] | undefined;
  child.once('message', (message) => (figures = message as Figure[]));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code === 0 ? figures : undefined)));
}

function write(result: { at: string; [rest: string]: unknown }): string {
  const folder = fileURLToPath(new URL('../../bench/results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = `${folder}${result.at.replaceAll(':', '-')}.json`;
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return `bench/results/${file.slice(folder.length)}`;
}
