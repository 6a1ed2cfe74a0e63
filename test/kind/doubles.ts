import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A rule of a double: the first whose pattern fits `program arguments…` answers. */
export interface Rule {
  program: string;
  /** A regular expression on the arguments, joined by spaces. */
  args: string;
  /** `$1` stands for the expression's first group. */
  output?: string;
  exitCode?: number;
  /** Goes on until it is ended, as a forwarded port does. */
  stays?: boolean;
}

export interface Call {
  program: string;
  args: string[];
  input: string;
  kubeconfig: string | undefined;
}

/**
 * Doubles of programs in a folder for PATH: each notes its call, and answers as the rules say. A call that no rule knows
 * fails: what the real program would say of it is not known here.
 */
export function programDoubles(folder: string, programs: string[]) {
  const [rulesFile, callsFile] = [join(folder, 'rules.json'), join(folder, 'calls')];
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(callsFile, '');
  const script = join(folder, 'double.mjs');
  writeFileSync(
    script,
    `#!${process.execPath}
import { appendFileSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
const [program, args] = [basename(process.argv[1]), process.argv.slice(2)];
const isApplied = args.at(-1) === '-' || args.includes('-');
const input = isApplied ? readFileSync(0, 'utf8') : '';
appendFileSync(${JSON.stringify(callsFile)}, JSON.stringify({ program, args, input, kubeconfig: process.env.KUBECONFIG }) + '\\n');
const rules = JSON.parse(readFileSync(${JSON.stringify(rulesFile)}, 'utf8'));
const rule = rules.find((known) => known.program === program && new RegExp(known.args).test(args.join(' ')));
if (!rule) {
  console.error(program + ' double: no rule for ' + args.join(' '));
  process.exit(64);
}
const [, first = ''] = new RegExp(rule.args).exec(args.join(' '));
if (rule.output) process.stdout.write(rule.output.replaceAll('$1', () => first));
if (rule.stays) setInterval(() => undefined, 1_000);
else process.exitCode = rule.exitCode ?? 0;
`,
  );
  chmodSync(script, 0o755);
  for (const program of programs) symlinkSync(script, join(bin, program));
  return {
    bin,
    answer: (rules: Rule[]) => writeFileSync(rulesFile, JSON.stringify(rules)),
    calls: () =>
      readFileSync(callsFile, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Call),
  };
}
