import { run, type StricliProcess } from '@stricli/core';
import { readFileSync } from 'node:fs';
import { app } from './app.js';
import { Cli } from './cli.js';
import { EXIT, exitCodeOf, lineOf } from './failure.js';
import { COMPLETE, complete } from './operate/completion.js';
import { passedOn } from './operate/pass-on.js';

/** The program `roost`. */
async function main(words: readonly string[]): Promise<void> {
  const cli = new Cli(process);
  // The reader of a pipe has had enough, as head(1) does: no error of ours.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed));
  const started = passedOn(words);
  if (started) {
    process.exitCode = await started;
    return;
  }
  const application = app(versionOf());
  // Node's own process is one; its exit code may be undefined besides, which the parser's type does not say.
  const context = { process: process as unknown as StricliProcess, forCommand: () => cli };
  if (words[0] === COMPLETE) return complete(application, words.slice(1), context);
  await run(application, words, context);
  // Wrong use is distinguished from what failed; the parser's own codes are below zero.
  if (typeof process.exitCode === 'number' && process.exitCode < 0) process.exitCode = EXIT.usage;
}

function versionOf(): string {
  const manifest = new URL('./package.json', import.meta.url);
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${lineOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
}
