import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Code of a page of the project that is marked with these words after its fence. */
export const blocksOf = (page: string, info: string): string[] =>
  [...readFileSync(`${root}${page}`, 'utf8').matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)]
    .filter(([, words]) => words === info)
    .map(([, , code = '']) => code);

const QUICK_START = 'docs/guide/quick-start.md';
/** npm takes eight times as long to find the command line as that takes to answer: it is asked on one page. */
const ROOST = `npx() { shift; node "${root}packages/cli/bin/roost.mjs" "$@"; }`;

/**
 * The commands of a page that a test can run, in their order, with what the quick start defines for all pages. All pages
 * at once are more than a busy machine may answer in time: a 503 is asked again, as a program would.
 */
export const commandsOf = (page: string): string =>
  [
    'set -euo pipefail',
    ...(page === QUICK_START ? [] : [ROOST]),
    ...blocksOf(QUICK_START, 'sh setup'),
    ...blocksOf(page, 'sh run'),
  ]
    .join('\n')
    .replaceAll('--fail-with-body', '--fail --retry 5 --retry-delay 1')
    .replaceAll('--max-time 3', '--max-time 10');

export const hasCommands = (page: string): boolean => blocksOf(page, 'sh run').length > 0;

/** What a reader of the pages has, and not every machine that runs the tests. */
export const isHere = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
export const missing = ['bash', 'curl', 'jq', 'openssl'].filter((program) => !isHere(program));

/** Runs a program to its end; gives what it wrote, also as it comes. Errors: with that, when it fails. */
export async function run(
  program: string,
  args: string[],
  { env = {}, cwd = root, onOutput }: { env?: Record<string, string>; cwd?: string; onOutput?: (all: string) => void },
): Promise<string> {
  const child = spawn(program, args, { cwd, env: { PATH: process.env['PATH'] ?? '', ...env } });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => onOutput?.((output += part)));
  child.stdin.end();
  const [written, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`${program} ended with ${String(code)}\n${written}\n${errors}`);
  return written;
}
